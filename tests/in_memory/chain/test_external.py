"""A product that rotates its own secret: ours is the first one, and then we look on."""

from datetime import timedelta

import pytest

from functions.sweeps import sweep
from shared.model.connection import Aspect, Status
from shared.onboarding import Rejected
from tests.fakes import FakeContext, fake_context
from tests.fakes.drive import drive
from tests.in_memory.chain.drifts import application, secret
from tests.in_memory.chain.products import condition, found, onboard, run

NAME = "vault-azure-secrets"
WRITES = ("credentials.add", "credentials.remove")


async def onboarded() -> FakeContext:
    ctx = fake_context()
    made = await onboard(ctx, NAME)
    assert {c.status for c in made.conditions} == {Status.TRUE}, made.conditions
    assert len(application(ctx).secrets) == 1
    return ctx


def writes(ctx: FakeContext) -> list[str]:
    return [call for call in ctx.tenant.faults.calls if call in WRITES]


async def rotate_when_due(ctx: FakeContext, *, days: int) -> None:
    ctx.clock.advance(days=days)
    await sweep(ctx, "rotate")
    await drive(ctx)


async def test_the_timer_warns_before_the_end_and_makes_nothing() -> None:
    ctx = await onboarded()
    before = writes(ctx)
    await rotate_when_due(ctx, days=130)
    ready = condition(await found(ctx, NAME), Aspect.CREDENTIAL_READY)
    assert (ready.status, ready.reason) == (Status.TRUE, "EXTERNAL")
    assert "expires 2026-07-04" in ready.message
    assert "has not done so yet" in ready.message
    assert writes(ctx) == before
    assert "secret.due" in [row["what"] for row in await ctx.ledger.history(NAME)]


@pytest.mark.diagnosis("SECRET_EXPIRED")
async def test_after_the_end_it_is_an_error_with_a_remedy() -> None:
    ctx = await onboarded()
    await rotate_when_due(ctx, days=181)
    ready = condition(await found(ctx, NAME), Aspect.CREDENTIAL_READY)
    assert (ready.status, ready.reason) == (Status.FALSE, "SECRET_EXPIRED")
    assert "Rotate it in the product" in ready.remedy


@pytest.mark.diagnosis("TWO_ROTATORS")
async def test_a_secret_of_the_products_own_is_no_second_rotator() -> None:
    ctx = await onboarded()
    secret(ctx, "vault", age=timedelta())
    verified = condition(await run(ctx, NAME, "verify"), Aspect.VERIFIED)
    assert verified.status == Status.TRUE


async def test_ours_may_go_once_the_product_has_replaced_it() -> None:
    ctx = await onboarded()
    application(ctx).secrets.clear()
    secret(ctx, "vault", age=timedelta())
    before = writes(ctx)
    verified = condition(await run(ctx, NAME, "verify"), Aspect.VERIFIED)
    assert verified.status == Status.TRUE
    await rotate_when_due(ctx, days=130)
    ready = condition(await found(ctx, NAME), Aspect.CREDENTIAL_READY)
    assert (ready.status, ready.reason) == (Status.TRUE, "EXTERNAL")
    assert "replaced" in ready.message
    assert writes(ctx) == before


async def test_a_rotation_is_refused() -> None:
    ctx = await onboarded()
    with pytest.raises(Rejected) as refused:
        await run(ctx, NAME, "rotate")
    assert refused.value.problem.code == "FEATURE_OFF"
    assert "rotate_root" in refused.value.problem.message
