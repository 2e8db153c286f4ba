"""`ports.ResetTrial`: one password, with the product's own token, as Entra allows it."""

import json
import logging
from typing import Any

import pytest

from shared.adapters.reset_trial import GraphResetTrial
from shared.model.credential import NewSecret
from tests.contracts.stage import Registered, Stage, ends, needs_human

PERMISSION = "User-PasswordProfile.ReadWrite.All"
RESET = "PATCH /users/{id}"


@pytest.fixture
async def product(stage: Stage) -> Registered:
    """With the permission; each test gives it the role that it is about."""
    made = await stage.registered()
    await stage.control("grant", app=made.client_id, role=PERMISSION)
    return made


async def person(stage: Stage, name: str = "Test.Account", **more: object) -> str:
    values = {"displayName": name, "userPrincipalName": f"{name}@contoso.onmicrosoft.com"}
    return str((await stage.control("tenant", users=[values | more]))["users"][0])


async def give(stage: Stage, product: Registered, role: str) -> None:
    rows = [{"role": role, "principal": product.principal_id}]
    await stage.control("tenant", roles=rows)


async def sent(stage: Stage) -> list[dict[str, Any]]:
    """Bodies of the updates of users."""
    rows = await stage.traffic("PATCH", "/users/")
    return [json.loads(row["request_body"]) for row in rows]


def trial(stage: Stage) -> GraphResetTrial:
    return GraphResetTrial(stage.settings, stage.graph)


@pytest.mark.diagnosis("RESET_WRONG_CALL")
async def test_the_call_is_a_password_profile_with_the_products_token(
    stage: Stage, product: Registered
) -> None:
    await give(stage, product, "Helpdesk Administrator")
    user, secret = await person(stage), await stage.secret(product.object_id)
    answer = await trial(stage).reset(product.client_id, secret, user)
    assert answer is not None
    assert answer.done
    assert answer.token_roles == {PERMISSION}
    (row,) = await stage.traffic("PATCH", "/users/")
    assert row["url"].endswith(f"/users/{user}")
    (body,) = await sent(stage)
    assert body.keys() <= {"passwordProfile", "@odata.type"}
    assert body["passwordProfile"].keys() == {"forceChangePasswordNextSignIn", "password"}
    assert not await stage.traffic("POST", "changePassword")
    changed = stage.running.server.tenant.user(user)
    assert changed["lastPasswordChangeDateTime"]


async def test_each_reset_sets_another_password(stage: Stage, product: Registered) -> None:
    await give(stage, product, "Helpdesk Administrator")
    user, secret = await person(stage), await stage.secret(product.object_id)
    for _ in range(2):
        assert await trial(stage).reset(product.client_id, secret, user)
    first, second = (body["passwordProfile"]["password"] for body in await sent(stage))
    assert first != second
    assert min(len(first), len(second)) > 30


async def test_the_password_is_in_no_log_and_no_answer(
    stage: Stage, product: Registered, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await give(stage, product, "Helpdesk Administrator")
    user, secret = await person(stage), await stage.secret(product.object_id)
    answer = await trial(stage).reset(product.client_id, secret, user)
    (body,) = await sent(stage)
    assert caplog.text
    assert body["passwordProfile"]["password"] not in caplog.text + repr(answer)


@pytest.mark.diagnosis("ROLE_MISSING")
async def test_without_a_role_it_is_refused(stage: Stage, product: Registered) -> None:
    user, secret = await person(stage), await stage.secret(product.object_id)
    answer = await trial(stage).reset(product.client_id, secret, user)
    assert answer is not None
    assert not answer.done
    assert answer.token_roles == {PERMISSION}


@pytest.mark.diagnosis("ROLE_TOO_LOW")
async def test_a_role_that_is_too_low_is_refused_for_that_account_only(
    stage: Stage, product: Registered
) -> None:
    await give(stage, product, "Helpdesk Administrator")
    plain, admin = await person(stage), await person(stage, "admin")
    rows = [{"role": "User Administrator", "principal": admin}]
    await stage.control("tenant", roles=rows)
    secret = await stage.secret(product.object_id)
    answers = [await trial(stage).reset(product.client_id, secret, u) for u in (plain, admin)]
    assert [answer and answer.done for answer in answers] == [True, False]


async def test_without_the_permission_the_token_says_so(stage: Stage) -> None:
    made = await stage.registered()
    await stage.control("grant", app=made.client_id, role="User.Read.All")
    await give(stage, made, "Global Administrator")
    secret = await stage.secret(made.object_id)
    answer = await trial(stage).reset(made.client_id, secret, await person(stage))
    assert answer is not None
    assert (answer.done, answer.token_roles) == (False, {"User.Read.All"})


async def test_a_secret_that_is_not_known_yet(stage: Stage, product: Registered) -> None:
    unknown = NewSecret(key_id="k", ends=ends(), hint="x", value="x~not.a.secret")
    assert await trial(stage).reset(product.client_id, unknown, await person(stage)) is None
    assert await stage.traffic("PATCH", "/users/") == []


async def test_a_password_that_the_tenant_refuses_is_no_matter_of_roles(
    stage: Stage, product: Registered
) -> None:
    refusal = {"status": 400, "code": "Request_BadRequest", "message": "password complexity"}
    await stage.fault(refusal, call=RESET)
    secret = await stage.secret(product.object_id)
    call = trial(stage).reset(product.client_id, secret, await person(stage))
    error = await needs_human(call, "GRAPH_REFUSED")
    (body,) = await sent(stage)
    assert body["passwordProfile"]["password"] not in str(error)


class TestTarget:
    async def test_by_name_in_any_letter_case_and_by_id(self, stage: Stage) -> None:
        user = await person(stage)
        for key in (user, "test.account@CONTOSO.onmicrosoft.com"):
            found = await trial(stage).target(key)
            assert found is not None
            assert (found.id, found.user_principal_name) == (
                user,
                "Test.Account@contoso.onmicrosoft.com",
            )
            assert (found.synchronised, found.federated, found.guest) == (False, False, False)

    async def test_one_that_is_not_there(self, stage: Stage) -> None:
        assert await trial(stage).target("nobody@contoso.onmicrosoft.com") is None

    @pytest.mark.diagnosis("RESET_NOT_POSSIBLE")
    async def test_passwords_that_are_mastered_elsewhere(self, stage: Stage) -> None:
        domain = {"id": "fabrikam.example", "authenticationType": "Federated"}
        await stage.control("tenant", domains=[domain])
        synced = await person(stage, "synced", onPremisesSyncEnabled=True)
        federated = await person(stage, "fed", userPrincipalName="fed@fabrikam.example")
        guest = await person(stage, "gus_partner#EXT#", userType="Guest")
        found = [await trial(stage).target(user) for user in (synced, federated, guest)]
        ways = [t and (t.synchronised, t.federated, t.guest) for t in found]
        assert ways == [(True, False, False), (False, True, False), (False, False, True)]
