"""A process may die at any call of an emergency, or of a rotation with a staged next secret.

However it dies: nothing that others may know is left, nothing unproven was published, and what is
served works.
"""

import pytest

from functions.sweeps import sweep
from shared import onboarding
from tests.fakes import FakeContext
from tests.in_memory.campaign import STRIDE, Begin, Run, killed_at_every_call
from tests.in_memory.chain import test_prestage
from tests.in_memory.chain.test_crash_points import deliver_through
from tests.in_memory.chain.test_emergency import DISABLE, FORCE, alarm, enabled
from tests.in_memory.chain.test_recovery import onboarded
from tests.in_memory.chain.test_secrets import held, rotate, served
from tests.in_memory.chain.world import NAME, assert_onboarded


async def in_overlap() -> FakeContext:
    """Two secrets are in use."""
    ctx = await onboarded()
    ctx.clock.advance(hours=2)
    await rotate(ctx, "rotate-1")
    assert len(held(ctx)) == 2
    return ctx


async def with_next() -> FakeContext:
    ctx = await test_prestage.onboarded()
    ctx.clock.advance(days=3)
    return ctx


def emergency(*options: str, pre_empting: bool = False) -> Run:
    async def run(ctx: FakeContext) -> int:
        if pre_empting:
            await onboarding.run(ctx, NAME, "rotate", "rotate-2", asked_by="test")
        await alarm(ctx, *options)
        killed = await deliver_through(ctx)
        # What a killed process could not finish, its redelivered message has: no sweep is needed.
        assert held(ctx) == [await served(ctx)]
        assert enabled(ctx)
        await assert_onboarded(ctx)
        return killed

    return run


async def prestaged_emergency(ctx: FakeContext) -> int:
    old, coming = await served(ctx), (await test_prestage.following(ctx)).key_id
    await alarm(ctx)
    killed = await deliver_through(ctx)
    assert held(ctx) == [await served(ctx)] == [coming] != [old]
    await sweep(ctx, "prestage")
    killed += await deliver_through(ctx)
    await test_prestage.assert_ready(ctx)
    return killed


async def prestaged_rotation(ctx: FakeContext) -> int:
    old, coming = await served(ctx), (await test_prestage.following(ctx)).key_id
    await onboarding.run(ctx, NAME, "rotate", "rotate-1", asked_by="test")
    killed = await deliver_through(ctx)
    assert await served(ctx) == coming
    await test_prestage.assert_ready(ctx, others=1)
    for _ in range(9):
        ctx.clock.advance(days=1)
        for kind in ("retire", "prestage"):
            await sweep(ctx, kind)
            killed += await deliver_through(ctx)
    assert old not in held(ctx)
    await test_prestage.assert_ready(ctx)
    return killed


CAMPAIGNS: dict[str, tuple[Begin, Run, int]] = {
    "emergency": (in_overlap, emergency(), 60),
    "that pre-empts": (in_overlap, emergency(pre_empting=True), 60),
    "that stops sign-in": (in_overlap, emergency(DISABLE, FORCE), 60),
    "with a next one": (with_next, prestaged_emergency, 60),
    "rotation with a next one": (with_next, prestaged_rotation, 60),
}


@pytest.mark.requirement("X-06", "X-10")
@pytest.mark.slow
@pytest.mark.parametrize("after_effect", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("campaign", CAMPAIGNS)
async def test_killed_at_every_call(
    campaign: str, monkeypatch: pytest.MonkeyPatch, *, after_effect: bool
) -> None:
    made, run, least = CAMPAIGNS[campaign]
    if made is with_next:
        test_prestage.with_prestage(monkeypatch)
    tried = await killed_at_every_call(made, run, after_effect=after_effect)
    assert tried.deaths > least / STRIDE
