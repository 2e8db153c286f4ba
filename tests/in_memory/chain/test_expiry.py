"""A secret whose rotation fails is told of before it ends, louder and louder."""

from datetime import timedelta

import pytest

from functions.sweeps import sweep
from shared.errors import NeedsHuman
from shared.messages import Event
from shared.model.connection import Aspect, Status
from shared.planning.expiry import KIND
from tests.fakes import FakeContext, fake_context
from tests.fakes.drive import drive
from tests.in_memory.campaign import Killed
from tests.in_memory.chain import products
from tests.in_memory.chain.test_crash_points import deliver_through
from tests.in_memory.chain.test_recovery import onboarded
from tests.in_memory.chain.test_secrets import rotate
from tests.in_memory.chain.world import NAME, connection

REFUSED = NeedsHuman("SECRET_TYPE_BLOCKED", "blocked", "use a certificate")
EXTERNAL = "vault-azure-secrets"


def told(ctx: FakeContext) -> list[Event]:
    return [event for event in ctx.outbox.events if event.type == "keyturn.credential.expiring"]


async def a_day_later(ctx: FakeContext, days: float = 1) -> None:
    """Timers run: rotations fail as the test has arranged, verifications look."""
    ctx.clock.advance(days=days)
    for kind in ("rotate", "verify"):
        await sweep(ctx, kind)
        await drive(ctx, at_most=timedelta(hours=4))


@pytest.mark.requirement("X-12")
@pytest.mark.diagnosis("SECRET_EXPIRES_SOON")
async def test_each_level_is_told_once() -> None:
    ctx = await onboarded()
    ctx.tenant.fail("credentials.add", REFUSED, times=10_000)
    ctx.clock.advance(days=148)
    reasons = []
    for _ in range(34):
        await a_day_later(ctx)
        verified = (await connection(ctx)).condition(Aspect.VERIFIED)
        assert verified is not None
        reasons.append((verified.status, verified.reason, "EXPIRES_SOON" in verified.message))
    assert [event.data["warning"] for event in told(ctx)] == ["warn", "act", "page"]
    assert {event.data["owner"] for event in told(ctx)} == {"ana@contoso.example"}
    assert reasons[0] == (Status.TRUE, "VERIFIED", False)
    assert reasons[5] == (Status.TRUE, "VERIFIED", True)
    assert (Status.FALSE, "SECRET_EXPIRES_SOON", False) in reasons
    assert reasons[-1][1] == "SECRET_EXPIRED"
    rows = [r for r in await ctx.ledger.history(NAME) if r["what"] == "credential.expiring"]
    assert [row["warning"] for row in rows] == ["warn", "act", "page"]


@pytest.mark.requirement("X-12")
async def test_a_rotation_ends_the_warning() -> None:
    ctx = await onboarded()
    ctx.tenant.fail("credentials.add", REFUSED, times=2)
    ctx.clock.advance(days=177)
    for _ in range(2):
        await a_day_later(ctx, days=0.5)
    verified = (await connection(ctx)).condition(Aspect.VERIFIED)
    assert verified is not None and verified.reason == "SECRET_EXPIRES_SOON"
    assert KIND in await ctx.ledger.due_times(NAME)
    await rotate(ctx, "rotate-1")
    verified = (await connection(ctx)).condition(Aspect.VERIFIED)
    assert verified is not None and verified.status == Status.TRUE
    assert "EXPIRES_SOON" not in verified.message
    assert KIND not in await ctx.ledger.due_times(NAME)


async def test_of_levels_that_were_missed_only_the_last_is_told() -> None:
    ctx = await onboarded()
    ctx.tenant.fail("credentials.add", REFUSED, times=10_000)
    await a_day_later(ctx, days=178)
    await a_day_later(ctx, days=0.5)
    assert [event.data["warning"] for event in told(ctx)] == ["page"]


async def test_a_secret_that_is_rotated_in_time_warns_nobody() -> None:
    ctx = await onboarded()
    for _ in range(100):
        await a_day_later(ctx, days=4)
        await sweep(ctx, "retire")
        await drive(ctx)
    assert told(ctx) == []


async def test_the_product_that_rotates_itself_is_told_of_too() -> None:
    ctx = fake_context()
    await products.onboard(ctx, EXTERNAL)
    ctx.clock.advance(days=178)
    await products.run(ctx, EXTERNAL, "verify", later=timedelta(0))
    assert [(event.data["warning"], event.data["external"]) for event in told(ctx)] == [
        ("page", True)
    ]
    verified = products.condition(await products.found(ctx, EXTERNAL), Aspect.VERIFIED)
    assert (verified.status, verified.reason) == (Status.FALSE, "SECRET_EXPIRES_SOON")
    assert "Rotate it in the product" in verified.remedy


@pytest.mark.parametrize("after_effect", [False, True])
@pytest.mark.parametrize(
    "method", ["ledger.set_due", "ledger.history", "outbox.publish", "ledger.record"]
)
async def test_killed_while_a_warning_is_told(method: str, *, after_effect: bool) -> None:
    ctx = await onboarded()
    ctx.clock.advance(days=160)
    await ctx.ledger.set_due("rotate", NAME, None)  # its timer has failed
    await sweep(ctx, "verify")
    ctx.tenant.fail(method, Killed(), after_effect=after_effect)
    assert await deliver_through(ctx) == 1
    assert {event.id for event in told(ctx)} == {told(ctx)[0].id}
    rows = [r for r in await ctx.ledger.history(NAME) if r["what"] == "credential.expiring"]
    assert len(rows) == 1
