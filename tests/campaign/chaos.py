"""Decides what becomes of each call; a pure function of seed, method and how-manieth call.

So a part of what happened can be left out, and the rest happens all the same: that is how a
failing seed is shrunk.
"""

import asyncio
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from random import Random

from shared.errors import StepError, TryLater
from tests.campaign.errors import SERVICES, kinds_of
from tests.campaign.processes import CURRENT, STEP, Fleet, Killed, Process
from tests.fakes.faults import Fault, Faults

LOCK = 20.0
"""Seconds that a lock or lease outlives its holder."""


YIELDING, SLOW = 0.75, 0.9
"""Of the numbers between 0 and 1 that calls draw: above the first they let other tasks run, above
the second they take a time of their own; the lowest decide what goes wrong."""

CRUCIAL = "credentials.add"
"""The call that is rare and matters most: `MORE` goes wrong with it than with others."""

MORE = 5.0

TARGETED = 0.5
"""Share of the calls at a crash point that is to be hit at which it is."""

Point = tuple[str, str, str]
"""A crash point: the step, the call it makes, and whether the process dies before or after."""


@dataclass(frozen=True)
class Weather:
    """How rough a seed is: chances per call."""

    faults: float
    kills: float
    stalls: float
    stale: float  # of reads, a replica answers that is behind
    lag: float  # seconds that replicas may be behind
    messages: float  # of deliveries: dropped, repeated, delayed, out of order, lock lost

    @classmethod
    def of(cls, chance: Random) -> "Weather":
        rough = chance.choice((0.1, 0.5, 1.0, 2.0))
        return cls(
            faults=0.006 * rough,
            kills=0.0015 * rough,
            stalls=0.0004 * rough,
            stale=0.10,
            lag=chance.choice((5.0, 60.0, 120.0)),
            messages=0.02 * rough,
        )


@dataclass(frozen=True)
class Aim:
    """One thing that is to go wrong: at the how-manieth such call of a step since a second."""

    step: str
    call: str
    when: str  # before | after: the process dies; lost | down: the call fails; frozen: it lasts
    nth: int = 1
    since: float = 0.0


@dataclass
class Death(Fault):
    """The process dies before or after the effect of a call."""

    strike_at: Callable[[], None] = lambda: None

    def strike(self) -> None:
        self.strike_at()
        raise Killed


@dataclass(frozen=True)
class Outage:
    service: str
    start: float
    end: float


@dataclass
class Counts:
    """What happened in one simulation, or in many."""

    faults: Counter[str] = field(default_factory=Counter)
    kills: Counter[Point] = field(default_factory=Counter)
    calls: Counter[tuple[str, str]] = field(default_factory=Counter)  # by step

    def add(self, other: "Counts") -> None:
        self.faults += other.faults
        self.kills += other.kills
        self.calls += other.calls


class Chaos(Faults):
    """Faults by chance. `only` limits them to those ids; `struck` are the ids that happened."""

    def __init__(
        self,
        seed: int,
        fleet: Fleet,
        weather: Weather,
        *,
        targets: Collection[Point] = (),
        aims: Collection[Aim] = (),
        only: Collection[str] | None = None,
    ) -> None:
        super().__init__()
        self.active = False
        self.struck: list[str] = []
        self.counts = Counts()
        self.outages: list[Outage] = []
        self.view: Callable[[str, object], AbstractContextManager[None]] | None = None
        self.hit: list[Aim] = []
        self._aims: dict[Aim, int] = {aim: aim.nth for aim in aims}
        self._seed, self._fleet, self._weather = seed, fleet, weather
        self._targets, self._only = set(targets), None if only is None else frozenset(only)
        self._nth: dict[str, int] = defaultdict(int)
        self._number = 0.0  # that the present call has drawn

    def chance(self, *what: object) -> Random:
        """Randomness that depends on nothing but the seed and *what*."""
        return Random(zlib.crc32(repr((self._seed, *what)).encode()))

    def allows(self, event: str) -> bool:
        """Whether this may happen in this replay; notes it when it does."""
        if self._only is not None and event not in self._only:
            return False
        self.struck.append(event)
        return True

    def happened(self, what: str) -> None:
        self.counts.faults[what] += 1

    def take(self, method: str) -> Fault | None:
        process = CURRENT.get()
        if process is None:
            return None
        process.require()
        self._nth[method] = nth = self._nth[method] + 1
        step = STEP.get()
        self.counts.calls[step, method] += 1
        number = self._number = zlib.crc32(f"{self._seed}{method}{nth}".encode()) / 2**32
        if self._aims and (aim := self._aimed(step, method)) is not None:
            return self._strike(aim, process)
        if not self.active:
            return None
        if self.outages and (down := self._down(method)) is not None:
            return down
        weather = self._weather
        if when := self._aimed_death(step, method, nth, number):
            return self._kill(process, method, when)
        more = MORE if method == CRUCIAL else 1.0
        kills = weather.kills * more
        if number < kills:
            return self._kill(process, method, "before" if number < kills / 2 else "after")
        if number < kills + weather.faults * more:
            return self._fault(method)
        return None

    def _aimed_death(self, step: str, method: str, nth: int, number: float) -> str:
        """Before or after this call, if it is a target; a replay has the deaths that it names."""
        times = ("before", "after")
        if self._only is not None:
            return next((t for t in times if f"kill:{method}#{nth}:{t}" in self._only), "")
        if not self._targets or number >= TARGETED:
            return ""
        when = next((t for t in times if (step, method, t) in self._targets), "")
        self._targets.discard((step, method, when))
        return when

    def _aimed(self, step: str, method: str) -> Aim | None:
        now = self._fleet.loop.time()
        for aim, left in list(self._aims.items()):
            if (aim.step, aim.call) == (step, method) and now >= aim.since:
                self._aims[aim] = left - 1
                if left == 1:
                    del self._aims[aim]
                    self.hit.append(aim)
                    return aim
        return None

    def _strike(self, aim: Aim, process: Process) -> Fault | None:
        match aim.when:
            case "before" | "after":
                self.counts.kills[aim.step, aim.call, aim.when] += 1
                return Death(
                    Killed(),
                    times=1,
                    after_effect=aim.when == "after",
                    nth=1,
                    strike_at=lambda: self._fleet.kill(process, 5),
                )
            case "frozen":
                process.frozen_at = self._fleet.loop.time()
                process.frozen_until = process.frozen_at + 3 * LOCK
                return None
        code = "ANSWER_LOST" if aim.when == "lost" else "VAULT_UNAVAILABLE"
        return Fault(down(code), times=1, after_effect=aim.when == "lost", nth=1)

    def _kill(self, process: Process, method: str, when: str) -> Fault | None:
        event = f"kill:{method}#{self._nth[method]}:{when}"
        if not self.allows(event):
            return None
        self.counts.kills[STEP.get(), method, when] += 1
        back = self.chance(event).uniform(2, 90)

        def die() -> None:
            self._fleet.kill(process, back)

        return Death(Killed(), times=1, after_effect=when == "after", nth=1, strike_at=die)

    def _fault(self, method: str) -> Fault | None:
        event = f"fault:{method}#{self._nth[method]}"
        kinds = kinds_of(method)
        chance = self.chance(event)
        name, make, after, _ = chance.choices(kinds, [weight for *_, weight in kinds])[0]
        if not self.allows(event):
            return None
        self.happened(name)
        return Fault(make(chance), times=1, after_effect=after, nth=1)

    def _down(self, method: str) -> Fault | None:
        now = self._fleet.loop.time()
        for outage in self.outages:
            if not outage.start <= now < outage.end:
                continue
            code, parts = SERVICES[outage.service]
            if method.partition(".")[0] in parts:
                self.happened(f"outage of {outage.service}")
                return Fault(down(code), times=1, after_effect=False, nth=1)
        return None

    async def reach(self, method: str) -> None:
        """Each call takes its time, some long; a frozen process stands still."""
        process = CURRENT.get()
        if process is None:
            return
        number = self._number  # `take` was called just now
        # Not every call takes a time of its own: timers would be half of the simulation's work.
        if number > YIELDING:
            await asyncio.sleep((1 - number) * 3 if number > SLOW else 0)
        if self.active and 0.5 < number < 0.5 + self._weather.stalls:
            self._stall(process, method)
        if process.frozen_until > self._fleet.loop.time():
            await asyncio.sleep(process.frozen_until - self._fleet.loop.time())
        process.require()

    def _stall(self, process: Process, method: str) -> None:
        event = f"stall:{method}#{self._nth[method]}"
        if self.allows(event):
            self.happened("process frozen, locks lost")
            seconds = self.chance(event).uniform(LOCK * 1.2, LOCK * 4)
            process.frozen_at = self._fleet.loop.time()
            process.frozen_until = process.frozen_at + seconds

    def effect(self, method: str, part: object) -> AbstractContextManager[None]:
        if self.view is None:
            return super().effect(method, part)
        return self.view(method, part)


def down(code: str) -> StepError:
    return TryLater(code, f"injected: {code} during an outage")
