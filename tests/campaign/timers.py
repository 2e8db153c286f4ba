"""The timers: each sweep runs at the ticks of its schedule at which something is due."""

import asyncio
import math
from collections import Counter

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

LOOKS = 2
"""Of a slow timer at what is due within the hour, until its next regular tick."""


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
        self._planned: dict[str, float] = {}
        self._looks: Counter[str] = Counter()  # since the last regular tick

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
                    if self._again.pop(kind, None) is None:
                        self._looks[kind] = 0
                    came = await self._tick(kind)
                    if (again := self._look_again(kind, came=came)) is not None:
                        self._again[kind] = again

    def _next(self, ran: dict[str, float]) -> dict[str, float]:
        found = {}
        now, planned, self._planned = self._fleet.loop.time(), self._planned, {}
        for kind, due in self._ledger.soonest().items():
            if kind in self._every:
                every, at = self._every[kind], (due - START).total_seconds()
                # Late where another timer has worked meanwhile, and not left out for that.
                late = at <= planned.get(kind, now) < now
                at = planned[kind] if late else max(at, now)
                tick = math.ceil(at / every) * every
                regular = tick if tick > ran.get(kind, -1.0) else ran[kind] + every
                self._planned[kind] = regular
                found[kind] = max(self._again.get(kind, regular), now)
        return found

    def _look_again(self, kind: str, *, came: bool) -> float | None:
        """When a slow timer looks again, as the real ones do every hour or sooner.

        What was in flight is not put off for days. What a failed write has kept from beginning
        is due after the sweep's own hour; but some connections are always due again so soon, and
        are not what most of a simulation is to be about.
        """
        now, due = self._fleet.loop.time(), self._ledger.soonest().get(kind)
        if not came:
            return now + QUARTER
        if due is None:
            return None
        at = (due - START).total_seconds()
        if at < now + QUARTER:
            return now + QUARTER
        self._looks[kind] += 1
        soon = at <= now + RETRY.total_seconds() and self._looks[kind] <= LOOKS
        return at if soon else None

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
