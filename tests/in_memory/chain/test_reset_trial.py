"""The trial reset within the chain: one account, and no other."""

from typing import Any

import pytest

from shared import onboarding
from shared.model.connection import Aspect, Condition
from tests.fakes import FakeContext, fake_context
from tests.fakes.drive import drive
from tests.in_memory.chain.world import NAME, assert_onboarded, connection, onboard

INPUTS = {"provider_name": "DVLS PAM", "config_name": "all", "search_mode": "groups"}
TEST = "trial@contoso.onmicrosoft.com"


async def onboarded(ctx: FakeContext, account: str = TEST, **changes: Any) -> Condition:
    await onboard(ctx, inputs={**INPUTS, "test_account": account}, **changes)
    await drive(ctx)
    found = (await connection(ctx)).condition(Aspect.VERIFIED)
    assert found is not None
    return found


def world() -> tuple[FakeContext, str]:
    ctx = fake_context()
    people = ctx.account_reader.people
    trial = people.add_user("trial")
    people.add_group("Staff", [people.add_user("ada")])
    return ctx, trial


@pytest.mark.parametrize("account", [TEST, TEST.upper(), "user-trial"])
async def test_only_the_named_account_is_reset(account: str) -> None:
    ctx, trial = world()
    assert (await onboarded(ctx, account)).reason == "VERIFIED"
    await assert_onboarded(ctx)
    assert set(ctx.reset_trial.reset_ids) == {trial}
    history = await ctx.ledger.history(NAME)
    assert [row["account"] for row in history if row["what"] == "password.trial_reset"] == [TEST]


async def test_without_an_account_nothing_is_reset() -> None:
    ctx, _ = world()
    await onboarded(ctx, "")
    await assert_onboarded(ctx)
    assert not ctx.tenant.faults.count("reset_trial.target")


async def test_a_product_that_resets_nothing_is_not_tried() -> None:
    ctx, _ = world()
    await onboarded(ctx, features={"password_rotation": False})
    await assert_onboarded(ctx)
    assert not ctx.tenant.faults.count("reset_trial.reset")


@pytest.mark.diagnosis("RESET_NOT_POSSIBLE")
async def test_a_synchronised_account_is_not_tried() -> None:
    ctx, trial = world()
    ctx.reset_trial.synchronised.add(trial)
    condition = await onboarded(ctx)
    assert (condition.status, condition.reason) == ("False", "RESET_NOT_POSSIBLE")
    assert not ctx.tenant.faults.count("reset_trial.reset")


@pytest.mark.diagnosis("ROLE_TOO_LOW")
async def test_an_account_that_holds_a_role_names_it() -> None:
    ctx, trial = world()
    ctx.account_reader.people.holders[ctx.tenant.role_ids["Groups Administrator"]] = [trial]
    condition = await onboarded(ctx)
    assert (condition.status, condition.reason) == ("False", "ROLE_TOO_LOW")
    assert "because it holds Groups Administrator; User Administrator can" in condition.message
    assert ctx.reset_trial.reset_ids == []


@pytest.mark.diagnosis("ROLE_TOO_LOW")
async def test_a_refusal_against_the_matrix_names_user_administrator() -> None:
    ctx, _ = world()
    ctx.reset_trial.strict = True
    condition = await onboarded(ctx)
    assert (condition.status, condition.reason) == ("False", "ROLE_TOO_LOW")
    assert "User Administrator" in condition.message


@pytest.mark.diagnosis("ROLE_MISSING")
async def test_a_role_that_was_taken_away_is_missing() -> None:
    ctx, _ = world()
    await onboarded(ctx)
    (row,) = ctx.tenant.principals.values()
    row.roles.clear()
    await onboarding.run(ctx, NAME, "verify", "v1", asked_by="timer")
    await drive(ctx)
    condition = (await connection(ctx)).condition(Aspect.VERIFIED)
    assert condition is not None
    assert (condition.status, condition.reason) == ("False", "ROLE_MISSING")


async def test_an_account_that_does_not_exist() -> None:
    ctx, _ = world()
    condition = await onboarded(ctx, "nobody@contoso.onmicrosoft.com")
    assert condition.reason == "USER_NOT_FOUND:nobody@contoso.onmicrosoft.com"
