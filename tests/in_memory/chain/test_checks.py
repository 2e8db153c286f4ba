"""The checks that a profile names: what each one is told of, and what it stops."""

import pytest

from shared.model.connection import Aspect, Status
from shared.model.directory import GRAPH_APP_ID
from shared.model.imports import AccessPolicy, ImportedUser, UserStore
from shared.model.profile import RESOURCES
from tests.fakes import FakeContext, fake_context
from tests.in_memory.chain.drifts import change
from tests.in_memory.chain.products import condition, onboard, run

PMP = "password-manager-pro"


async def with_users(ctx: FakeContext, *names: str) -> None:
    users = tuple(
        ImportedUser(
            id=ctx.directory_reader.people.add_user(name),
            user_principal_name=f"{name}@contoso.onmicrosoft.com",
            display_name=name,
            mail="",
            enabled=True,
            guest=False,
            role="Password User",
            since=ctx.clock.now(),
        )
        for name in names
    )
    await ctx.import_store.save(PMP, UserStore(users=users), "")


@pytest.mark.requirement("M-29", "M-30")
@pytest.mark.diagnosis("MFA_LOGIN_BLOCKED")
async def test_mfa_of_imported_users_is_a_warning_where_people_sign_in() -> None:
    ctx = fake_context()
    await with_users(ctx, "ana", "bo")
    ctx.directory_reader.mfa.add("user-ana")
    made = await onboard(ctx, PMP)
    verified = condition(made, Aspect.VERIFIED)
    assert verified.status == Status.TRUE, verified
    assert "MFA_LOGIN_BLOCKED" in verified.message
    assert "ana@contoso.onmicrosoft.com" in verified.message
    assert "bo@" not in verified.message
    assert "SAML" in verified.message


@pytest.mark.requirement("M-31")
@pytest.mark.diagnosis("CA_BLOCKS_LOGIN")
async def test_conditional_access_is_a_warning_that_names_the_policies() -> None:
    ctx = fake_context()
    ctx.directory_reader.conditional_access = [
        AccessPolicy(
            id="p1",
            name="MFA for all",
            state="enabled",
            controls=True,
            applications=frozenset({"All"}),
            users=frozenset({"All"}),
        )
    ]
    verified = condition(await onboard(ctx, PMP), Aspect.VERIFIED)
    assert verified.status == Status.TRUE
    assert "CA_BLOCKS_LOGIN" in verified.message
    assert "MFA for all" in verified.message


async def test_without_the_feature_login_nobody_is_asked() -> None:
    ctx = fake_context()
    await onboard(ctx, PMP, features={"login": False})
    assert not ctx.tenant.faults.count("directory_reader.policies")


@pytest.mark.requirement("M-04")
@pytest.mark.diagnosis("PUBLIC_FLOW_OFF")
async def test_public_client_flows_that_were_switched_off() -> None:
    ctx = fake_context()
    await onboard(ctx, PMP)
    change(ctx, public_client=False)
    verified = condition(await run(ctx, PMP, "verify"), Aspect.VERIFIED)
    assert (verified.status, verified.reason) == (Status.FALSE, "PUBLIC_FLOW_OFF")
    assert verified.remedy


@pytest.mark.requirement("A-13", "A-07")
async def test_azure_devops_expects_no_roles_and_is_asked_for_a_token() -> None:
    ctx = fake_context()
    asked: list[str] = []
    honest = ctx.tokens.obtain

    async def obtain(client_id: str, secret: object, api: str = GRAPH_APP_ID) -> object:
        asked.append(api)
        return await honest(client_id, secret, api)  # type: ignore[arg-type] # handed on

    ctx.tokens.obtain = obtain  # type: ignore[method-assign,assignment] # to see what is asked for
    verified = condition(await onboard(ctx, "pandium"), Aspect.VERIFIED)
    assert verified.status == Status.TRUE, verified
    assert set(asked) == {RESOURCES["azure-devops"]}
