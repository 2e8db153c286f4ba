"""An offboarding that dies before or after any call ends all the same, with nothing left."""

import pytest

from functions.sweeps import sweep
from shared.onboarding import Rejected
from tests.fakes import FakeContext, fake_context
from tests.fakes.drive import drive
from tests.fakes.organisations import Organisation
from tests.in_memory.access import world as access
from tests.in_memory.campaign import STRIDE, Killed, killed_at_every_call
from tests.in_memory.chain.departures import ask, assert_gone
from tests.in_memory.chain.test_crash_points import deliver_through
from tests.in_memory.chain.world import NAME, onboard


async def devolutions() -> tuple[FakeContext, str]:
    ctx = fake_context()
    await onboard(ctx)
    await drive(ctx)
    return ctx, NAME


async def pandium() -> tuple[FakeContext, str]:
    """With names of its own in the vault, and a user of an Azure DevOps organisation."""
    ctx = fake_context()
    ctx.tenant.organisations["contoso"] = Organisation(ctx.tenant.identity.id)
    inputs: dict[str, object] = {"scope": "azure-devops", "devops_org": "contoso"}
    features = {"azure_devops": True}
    await access.begin(ctx, "pandium", inputs=inputs, features=features, whole=True)
    await ctx.ledger.record(access.NAME, ctx.clock.now(), "connection.requested", {})
    assert ctx.tenant.organisations["contoso"].members
    return ctx, access.NAME


WORLDS = {"devolutions": devolutions, "pandium": pandium}


@pytest.mark.requirement("X-18", "X-03")
@pytest.mark.slow
@pytest.mark.parametrize(
    ("world", "after_effect"),
    [("devolutions", False), ("pandium", True)],
    ids=["devolutions-before", "pandium-after"],
)
async def test_killed_at_every_call_leaves_nothing(world: str, *, after_effect: bool) -> None:
    _, name = await WORLDS[world]()

    async def leaving() -> FakeContext:
        ctx, known = await WORLDS[world]()
        await ask(ctx, known)
        return ctx

    async def gone(ctx: FakeContext) -> None:
        await assert_gone(ctx, name)

    tried = await killed_at_every_call(leaving, deliver_through, gone, after_effect=after_effect)
    assert tried.deaths == tried.calls > 60 / STRIDE


@pytest.mark.requirement("X-18", "X-03")
@pytest.mark.parametrize("after_effect", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    "method",
    ["ledger.record", "ledger.begin", "outbox.send"],
)
async def test_a_request_that_dies_half_way_is_repeated(method: str, *, after_effect: bool) -> None:
    ctx, name = await devolutions()
    ctx.tenant.fail(method, Killed(), after_effect=after_effect)
    with pytest.raises(Killed):
        await ask(ctx, name)
    await deliver_through(ctx)
    try:
        await ask(ctx, name)
    except Rejected as over:
        assert over.problem.code == "OFFBOARDED"  # noqa: PT017 - it may have gone on by itself
    await deliver_through(ctx)
    if (await ctx.ledger.due_times(name)).get("resume"):  # what the sweep finds
        ctx.clock.advance(minutes=31)
        await sweep(ctx, "resume")
        await deliver_through(ctx)
    await assert_gone(ctx, name)
