"""The timers: each sweep runs at the ticks of its schedule at which something is due."""

import asyncio
import math

from functions.sweeps import RETRY, sweep
from shared.errors import StepError
from tests.campaign.broker import Bug
from tests.campaign.chaos import Chaos
from tests.campaign.ledger import StormLedger
from tests.campaign.loop import START
from tests.campaign.processes import Fleet, is_kill
from tests.fakes import FakeContext

QUARTER = 900.0
DAY = 86400.0
LONGEST = DAY
"""Seconds without a look at the index, so that a lost notice delays nothing for ever."""


class Timers:
    """Seconds between the ticks of each kind of work; a tick may be missed."""

    def __init__(
        self, ctx: FakeContext, ledger: StormLedger, fleet: Fleet, chaos: Chaos, bug: Bug
    ) -> None:
        self._ctx, self._ledger, self._fleet, self._chaos = ctx, ledger, fleet, chaos
        self._bug = bug
        days = chaos.chance("verify").choice((5, 8))
        self._every = {
            "rotate": QUARTER,
            "retire": QUARTER,
            "prestage": QUARTER,
            "resume": QUARTER / 3,
            "verify": days * DAY,
            "discover": 7 * DAY,
        }
        self._ticks = 0
        self._again: dict[str, float] = {}

    async def run(self) -> None:
        loop = self._fleet.loop
        ran: dict[str, float] = {}
        while True:
            self._ledger.moved.clear()
            ticks = self._next(ran)
            kind = min(ticks, key=lambda kind: ticks[kind], default="")
            wait = min(ticks[kind] - loop.time(), LONGEST) if kind else LONGEST
            try:
                async with asyncio.timeout(max(wait, 0)):
                    await self._ledger.moved.wait()
            except TimeoutError:
                if kind and loop.time() >= ticks[kind] - 0.001:
                    ran[kind] = ticks[kind]
                    self._again.pop(kind, None)
                    # The real ones tick so often: what was in flight is not put off for days.
                    ended = await self._tick(kind)
                    if (soon := self._left(kind, ended=ended)) is not None:
                        self._again[kind] = soon

    def _next(self, ran: dict[str, float]) -> dict[str, float]:
        found = {}
        now = self._fleet.loop.time()
        for kind, due in self._ledger.soonest().items():
            if kind in self._every:
                every = self._every[kind]
                at = max((due - START).total_seconds(), now)
                tick = math.ceil(at / every) * every
                regular = tick if tick > ran.get(kind, -1.0) else ran[kind] + every
                found[kind] = max(self._again.get(kind, regular), now)
        return found

    def _left(self, kind: str, *, ended: bool) -> float | None:
        """When to look again, as a connection was busy, or its operation may not have begun."""
        now, due = self._fleet.loop.time(), self._ledger.soonest().get(kind)
        if not ended:
            return now + QUARTER
        if due is None or self._every[kind] <= QUARTER:
            return None
        left = (due - START).total_seconds() - now
        return now + max(left, 0) + QUARTER if left <= RETRY.total_seconds() else None

    async def _tick(self, kind: str) -> bool:
        """Whether the sweep came to its end."""
        self._ticks += 1
        name = f"tick:{self._ticks}"
        rough = self._chaos.active and self._chaos.chance(name).random() < 0.02
        if rough and self._chaos.allows(name):
            self._chaos.happened("timer did not fire")
            return False
        try:
            await self._fleet.run(f"{kind} timer", lambda: sweep(self._ctx, kind))
        except BaseException as death:
            if not isinstance(death, Exception) and not is_kill(death):
                raise
            if isinstance(death, Exception) and not isinstance(death, StepError):
                self._bug(f"{kind} timer", death)
            return False
        return True
