"""Runs whose process dies at chosen calls, and is started again as the queue does it."""

import random
from collections.abc import Callable, Collection
from datetime import timedelta
from typing import Any

from shared.messages import StepMessage, encode
from shared.model.accounts import Summary
from shared.planning.snapshots import Position
from shared.runtime import run
from shared.step import STEPS
from tests.fakes import FakeContext, fake_context
from tests.fakes.clock import FakeClock
from tests.fakes.faults import Fault, Faults
from tests.fakes.tenant import FakeTenant
from tests.in_memory.discovery.scans import NAME, begin, end

READS = ("account_reader.read", "entity_reader.read")

PAGE = timedelta(seconds=7)
"""That a page takes to be read."""

MOST = 400
"""Deliveries of one operation; more mean that it comes no further."""

Death = tuple[int, bool]
"""Number of a call, and whether the process dies after its effect, before the answer."""


class Killed(BaseException):
    """The process is gone; nothing of it may be handled."""


class Killing(Faults):
    """Counts all calls of all fakes, and ends the process at some of them."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__()
        self.deaths: set[Death] = set()
        self.number = self.died = 0
        self.active = False
        self.between: Callable[[], None] | None = None  # happens after some pages
        self._clock = clock

    def take(self, method: str) -> Fault | None:
        known = super().take(method)
        if method in READS:
            self._clock.advance(PAGE)
            if self.between is not None and self.calls.count(method) % 5 == 0:
                self.between()
        if known is not None or not self.active:
            return known
        self.number += 1
        for after in (False, True):
            if (self.number, after) in self.deaths:
                self.died += 1
                return Fault(Killed(), times=1, after_effect=after, nth=1)
        return None


def world(seconds: float = 60) -> FakeContext:
    """One in which a slice has so many *seconds*, and processes may die."""
    tenant = FakeTenant()
    killing = Killing(tenant.clock)
    tenant.faults, tenant.fail = killing, killing.fail
    return fake_context(tenant=tenant, scan_slice=timedelta(seconds=seconds))


def killing(ctx: FakeContext) -> Killing:
    assert isinstance(ctx.tenant.faults, Killing)
    return ctx.tenant.faults


async def survive(
    ctx: FakeContext, operation: str, deaths: Collection[Death] = (), reason: str = ""
) -> Summary:
    """One whole operation: what died is delivered again, what goes on is delivered next."""
    faults = killing(ctx)
    ctx.clock.advance(minutes=1)
    await begin(ctx, operation, reason=reason)
    faults.deaths, faults.number, faults.active = set(deaths), 0, True
    body = encode(StepMessage(kind="discover", connection=NAME, operation=operation))
    for _ in range(MOST):
        try:
            await run(STEPS["discovery"], body, "message", ctx)
        except BaseException as death:
            if not _is_kill(death):
                raise
            ctx.clock.advance(minutes=2)  # its turn lapses
            continue
        sent = ctx.outbox.take()
        assert sent is not None
        if sent.step != "discovery":
            break
        ctx.clock.reach(sent.at)
        body = sent.body
    else:
        raise AssertionError(f"no end after {MOST} deliveries")
    faults.active = False
    ctx.outbox.queued.clear()
    await end(ctx, operation)
    return next(s for s in await ctx.account_store.summaries(NAME) if s.operation == operation)


async def calls_of(ctx: FakeContext, operation: str) -> int:
    """How many calls an undisturbed operation makes."""
    await survive(ctx, operation)
    return killing(ctx).number


def some_deaths(seed: int, calls: int) -> set[Death]:
    """One to four of them, anywhere in a run and what is made up for after them."""
    chance = random.Random(f"deaths {seed}")  # noqa: S311 - no secret
    return {
        (chance.randint(1, calls + 10), chance.random() < 0.5) for _ in range(chance.randint(1, 4))
    }


async def picture(ctx: FakeContext) -> dict[str, Any]:
    """All that readers see, and from where the next run goes on."""
    store = ctx.account_store
    (latest, *_) = [s for s in await store.summaries(NAME) if s.snapshot]
    return {
        "accounts": [row async for row in store.accounts(NAME)],
        "entities": [row async for row in store.entities(NAME)],
        "links": [row async for row in store.links(NAME)],
        "changes": [(str(at), made) async for at, made in store.changes(NAME, Position())],
        "held": [row async for row in store.held_rows(NAME)],
        "links to go on from": {
            key: cookie.split(" ")[-1] for key, cookie in (await store.cookies(NAME)).items()
        },
        "counts": counts(latest),
    }


def counts(summary: Summary) -> dict[str, Any]:
    names = (
        "operation state mode accounts added changed removed unchanged held guests disabled "
        "sources read why entities links changes skipped"
    )
    return {name: getattr(summary, name) for name in names.split()}


def _is_kill(death: BaseException) -> bool:
    if isinstance(death, BaseExceptionGroup):
        return all(map(_is_kill, death.exceptions))
    return isinstance(death, Killed)
