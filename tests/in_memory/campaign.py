"""A process that dies at any call: how it is tried, and how much of it is tried.

All of it by ``make soak``, every third case otherwise.
"""

import os
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple, TypeVar

from tests.fakes import FakeContext

T = TypeVar("T")

STRIDE = 1 if os.environ.get("KEYTURN_SOAK") else 3

Begin = Callable[[], Awaitable[FakeContext]]
Run = Callable[[FakeContext], Awaitable[int]]
"""What is disturbed; answers how often a process was killed."""

Check = Callable[[FakeContext], Awaitable[None]]


class Killed(BaseException):
    """No handler of the product may catch the death of its process."""


async def as_it_is(ctx: FakeContext) -> None:
    """No check: the run has its own."""


class Tried(NamedTuple):
    """How many calls a process was to die at, and how many did."""

    calls: int
    deaths: int


def chosen(cases: Sequence[T], *, after_effect: bool) -> Sequence[T]:
    """Other cases before an effect than after it: of two neighbours mostly one is tried."""
    return cases[int(after_effect) % STRIDE :: STRIDE]


async def calls_of(begin: Begin, run: Run, check: Check) -> list[tuple[str, int]]:
    """Every call of an undisturbed run, as method and its how-manieth."""
    ctx = await begin()
    start = len(ctx.tenant.faults.calls)
    await run(ctx)
    calls = ctx.tenant.faults.calls[start:]
    await check(ctx)
    seen: Counter[str] = Counter()
    found = []
    for method in calls:
        seen[method] += 1
        found.append((method, seen[method]))
    return found


async def killed_at_every_call(
    begin: Begin,
    run: Run,
    check: Check = as_it_is,
    *,
    after_effect: bool,
    calls: Sequence[tuple[str, int]] | None = None,
) -> Tried:
    """Kill the process at each call of *run*, or at each of *calls*, in a world of its own."""
    known = await calls_of(begin, run, check) if calls is None else calls
    tried = deaths = 0
    for method, nth in chosen(known, after_effect=after_effect):
        ctx = await begin()
        ctx.tenant.fail(method, Killed(), nth=nth, after_effect=after_effect)
        tried += 1
        try:
            deaths += await run(ctx)
            await check(ctx)
        except Killed:
            continue  # it was a call of the test's own, not of a step
        except AssertionError as wrong:
            raise AssertionError(f"killed at {method} #{nth}, {after_effect=}") from wrong
    return Tried(tried, deaths)
