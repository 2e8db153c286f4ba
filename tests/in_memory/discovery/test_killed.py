"""A run that dies anywhere, and is started again, ends as one that nobody disturbed."""

from random import Random

import pytest

from tests.fakes import FakeContext
from tests.in_memory.discovery.killing import (
    calls_of,
    killing,
    picture,
    some_deaths,
    survive,
    world,
)
from tests.in_memory.discovery.tenants import MODES, Mode

pytestmark = pytest.mark.requirement("X-15")


async def grown(mode: Mode, *, again: bool) -> FakeContext:
    """A tenant before its first scan, or *again* with changes since that."""
    ctx = await mode.connect(world(seconds=30))
    chance = Random(mode.name)  # noqa: S311 - no secret
    mode.grow(ctx, chance)
    if again:
        await survive(ctx, "o1")
        for _ in range(12):
            mode.change(ctx, chance)
    return ctx


@pytest.mark.slow
@pytest.mark.parametrize("again", [False, True], ids=["first", "changes"])
@pytest.mark.parametrize("mode", MODES.values(), ids=lambda mode: mode.name)
async def test_killed_once_before_or_after_every_call(mode: Mode, *, again: bool) -> None:
    calm = await grown(mode, again=again)
    calls = await calls_of(calm, "o2")
    expected = await picture(calm)
    for number in range(1, calls + 1):
        for after in (False, True):
            ctx = await grown(mode, again=again)
            await survive(ctx, "o2", {(number, after)})
            assert killing(ctx).died == 1
            assert await picture(ctx) == expected, f"killed at call {number}, after: {after}"


@pytest.mark.parametrize("seed", range(50))
async def test_killed_at_random_points_again_and_again(seed: int) -> None:
    mode = [*MODES.values()][seed % len(MODES)]
    again = seed % 2 == 1
    calm = await grown(mode, again=again)
    calls = await calls_of(calm, "o2")
    ctx = await grown(mode, again=again)
    await survive(ctx, "o2", some_deaths(seed, calls))
    assert await picture(ctx) == await picture(calm)
