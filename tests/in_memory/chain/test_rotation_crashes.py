"""A process may die at any call of a rotation or a retirement: nothing is lost or left behind."""

import pytest

from functions.sweeps import sweep
from shared import onboarding
from tests.fakes import FakeContext
from tests.in_memory.campaign import STRIDE, killed_at_every_call
from tests.in_memory.chain.test_crash_points import deliver_through
from tests.in_memory.chain.test_recovery import onboarded
from tests.in_memory.chain.test_secrets import held, served
from tests.in_memory.chain.world import NAME, assert_onboarded


async def rotated(ctx: FakeContext) -> int:
    """Rotate, let the overlap pass, retire; answers how often the process was killed."""
    ctx.clock.advance(hours=2)
    await onboarding.run(ctx, NAME, "rotate", "rotate-1", asked_by="test")
    killed = await deliver_through(ctx)
    assert await served(ctx) in held(ctx)
    assert len(held(ctx)) == 2
    for _ in range(9):
        ctx.clock.advance(days=1)
        await sweep(ctx, "retire")
        killed += await deliver_through(ctx)
        assert await served(ctx) in held(ctx)
    return killed


@pytest.mark.requirement("X-06", "X-10")
@pytest.mark.slow
@pytest.mark.parametrize("after_effect", [False, True], ids=["before", "after"])
async def test_killed_at_every_call_of_a_rotation(*, after_effect: bool) -> None:
    tried = await killed_at_every_call(
        onboarded, rotated, assert_onboarded, after_effect=after_effect
    )
    assert tried.deaths > 60 / STRIDE
