"""A process may die at any call of a rotation or a retirement: nothing is lost or left behind."""

import pytest

from functions.sweeps import sweep
from shared import onboarding
from tests.fakes import FakeContext
from tests.in_memory.campaign import STRIDE, chosen
from tests.in_memory.chain.test_crash_points import Killed, deliver_through
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


async def calls_of_one_run() -> list[tuple[str, int]]:
    """Every call that a step makes, as method and its how-manieth."""
    ctx = await onboarded()
    start = len(ctx.tenant.faults.calls)
    await rotated(ctx)
    seen: dict[str, int] = {}
    found = []
    for method in ctx.tenant.faults.calls[start:]:
        seen[method] = seen.get(method, 0) + 1
        found.append((method, seen[method]))
    return found


@pytest.mark.requirement("X-06", "X-10")
@pytest.mark.slow
@pytest.mark.parametrize("after_effect", [False, True], ids=["before", "after"])
async def test_killed_at_every_call_of_a_rotation(*, after_effect: bool) -> None:
    reached = 0
    for method, nth in chosen(await calls_of_one_run(), after_effect=after_effect):
        ctx = await onboarded()
        ctx.tenant.fail(method, Killed(), nth=nth, after_effect=after_effect)
        try:
            reached += await rotated(ctx)
        except Killed:
            continue  # it was a call of the test's own, not of a step
        try:
            await assert_onboarded(ctx)
        except AssertionError as wrong:
            raise AssertionError(f"killed at {method} #{nth}, {after_effect=}") from wrong
    assert reached > 60 / STRIDE
