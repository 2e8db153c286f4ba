"""A process may die at any call while a certificate is made, published, replaced or taken back."""

from collections.abc import Awaitable, Callable

import pytest

from tests.fakes import FakeContext, fake_context
from tests.in_memory.campaign import STRIDE, chosen
from tests.in_memory.chain.certificates import certificates, secrets, served, signs_in_with
from tests.in_memory.chain.departures import ask, assert_gone
from tests.in_memory.chain.test_crash_points import Killed, deliver_through
from tests.in_memory.chain.test_recovery import onboarded
from tests.in_memory.chain.test_rotation_crashes import rotated
from tests.in_memory.chain.world import NAME, assert_onboarded, onboard

pytestmark = [pytest.mark.slow, pytest.mark.requirement("X-03", "X-06")]

Run = Callable[[FakeContext], Awaitable[int]]
"""Answers how often the process was killed."""


@pytest.fixture(autouse=True)
def certificate(monkeypatch: pytest.MonkeyPatch) -> None:
    signs_in_with(monkeypatch, "certificate")


async def fresh() -> FakeContext:
    ctx = fake_context()
    await onboard(ctx)
    return ctx


async def leaving() -> FakeContext:
    ctx = await onboarded()
    await ask(ctx, NAME)
    return ctx


async def assert_one(ctx: FakeContext) -> None:
    await assert_onboarded(ctx)
    assert [row.id for row in certificates(ctx)] == [served(ctx)]
    assert secrets(ctx) == []


async def assert_left(ctx: FakeContext) -> None:
    await assert_gone(ctx, NAME)


CASES: dict[
    str, tuple[Callable[[], Awaitable[FakeContext]], Run, Callable[..., Awaitable[None]]]
] = {
    "onboarding": (fresh, deliver_through, assert_one),
    "rotation": (onboarded, rotated, assert_one),
    "offboarding": (leaving, deliver_through, assert_left),
}


async def calls(begin: Callable[[], Awaitable[FakeContext]], run: Run) -> list[tuple[str, int]]:
    """Every call of an undisturbed run, as method and its how-manieth."""
    ctx = await begin()
    start = len(ctx.tenant.faults.calls)
    await run(ctx)
    seen: dict[str, int] = {}
    found = []
    for method in ctx.tenant.faults.calls[start:]:
        seen[method] = seen.get(method, 0) + 1
        found.append((method, seen[method]))
    return found


@pytest.mark.parametrize("after_effect", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("case", CASES)
async def test_killed_at_every_call(case: str, *, after_effect: bool) -> None:
    begin, run, check = CASES[case]
    reached = 0
    for method, nth in chosen(await calls(begin, run), after_effect=after_effect):
        ctx = await begin()
        ctx.tenant.fail(method, Killed(), nth=nth, after_effect=after_effect)
        try:
            reached += await run(ctx)
        except Killed:
            continue  # it was a call of the test's own, not of a step
        try:
            await check(ctx)
        except AssertionError as wrong:
            raise AssertionError(f"killed at {method} #{nth}, {after_effect=}") from wrong
    assert reached > 30 / STRIDE
