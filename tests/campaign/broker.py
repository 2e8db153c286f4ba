"""Queues that deliver at least once: sessions, locks, scheduled and dead-lettered messages."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass

from shared import topology
from shared.burial import GIVEN_UP, bury
from shared.context import Context
from shared.errors import StepError
from shared.messages import STEPS as SESSIONS
from shared.messages import StepMessage, decode
from shared.model.duration import parse_duration
from shared.runtime import run
from shared.step import STEPS
from tests.campaign.chaos import LOCK, Chaos
from tests.campaign.deliveries import DELIVERY, Delivery
from tests.campaign.processes import Fleet, is_kill
from tests.fakes.clock import FakeClock
from tests.fakes.outbox import FakeOutbox, Sent

WINDOW = parse_duration(topology.WINDOW).total_seconds()
"""In which a queue drops repeats. (Sent twice, not delivered twice: that stays possible.)"""

Bug = Callable[[str, BaseException], None]


@dataclass(eq=False)
class Entry:
    sent: Sent
    deliveries: int = 0
    dead: bool = False

    @property
    def queue(self) -> str:
        return f"{self.sent.step}/dead" if self.dead else self.sent.step


class Broker:
    """Delivers what is sent; what goes wrong on the way is the chaos's to decide."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, fleet: Fleet, chaos: Chaos, rate: float, bug: Bug
    ) -> None:
        self.context: Context | None = None
        self.delivery: Callable[[str, StepMessage], Delivery] | None = None
        self._loop, self._fleet, self._chaos, self._rate, self._bug = loop, fleet, chaos, rate, bug
        self._waiting: dict[tuple[str, str], deque[Entry]] = defaultdict(deque)
        self._locked: set[tuple[str, str]] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._count = 0
        self._seen: dict[str, float] = {}  # ids of messages: when each was sent

    def put(self, sent: Sent, delay: float) -> None:
        """Take a message; it is there for good, or perhaps twice, late, or lost."""
        self._count += 1
        if self._is_repeat(sent):
            return
        name = f"message:{self._count}"
        chance = self._chaos.chance(name)
        rough = self._chaos.active and chance.random() < self._rate
        fate = chance.choice(("dropped", "repeated", "delayed")) if rough else ""
        if fate and not self._chaos.allows(f"{name}:{fate}"):
            fate = ""
        if fate:
            self._chaos.happened(f"message {fate}")
        if fate == "dropped":
            return
        if fate == "delayed":
            delay += chance.uniform(10, 1200)
        self._later(Entry(sent), delay)
        if fate == "repeated":
            self._later(Entry(sent), delay + chance.uniform(0, 60))

    def _is_repeat(self, sent: Sent) -> bool:
        """Every queue drops a message whose id it has seen within the window."""
        now, key = self._loop.time(), f"{sent.step} {sent.id}"
        known = self._seen.get(key)
        self._seen[key] = now if known is None or now - known > WINDOW else known
        return known is not None and now - known <= WINDOW

    def _later(self, entry: Entry, delay: float) -> None:
        self._loop.call_later(max(delay, 0), self._ready, entry)

    def _ready(self, entry: Entry) -> None:
        key = self._session(entry)
        self._waiting[key].append(entry)
        self._next(key)

    def _session(self, entry: Entry) -> tuple[str, str]:
        if entry.sent.step not in SESSIONS or entry.dead:
            return entry.queue, f"{id(entry)}"
        return entry.queue, decode(entry.sent.body).connection

    def _next(self, key: tuple[str, str]) -> None:
        if key in self._locked or not self._waiting[key]:
            return
        self._locked.add(key)
        waiting = self._waiting[key]
        if self._chaos.active and len(waiting) > 1 and self._chaos.allows(f"order:{self._count}"):
            self._chaos.happened("message out of order")
            waiting.rotate(1)
        task = self._loop.create_task(self._deliver(key, waiting.popleft()))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, key: tuple[str, str], entry: Entry) -> None:
        entry.deliveries += 1
        self._count += 1
        name = f"delivery:{self._count}"
        again = await self._at_once(entry, name)
        self._locked.discard(key)
        if not self._waiting[key]:
            del self._waiting[key]
        else:
            self._next(key)
        if again is not None:
            if entry.deliveries >= topology.DELIVERIES and not entry.dead:
                self._chaos.happened("message dead-lettered")
                entry = Entry(entry.sent, dead=True)
            self._later(entry, again)

    async def _at_once(self, entry: Entry, name: str) -> float | None:
        """Sometimes the lock is lost while it is worked on, and a second process has it, too."""
        chance = self._chaos.chance(name, "beside")
        twice = not entry.dead and self._chaos.active and chance.random() < self._rate / 2
        if not twice or not self._chaos.allows(f"{name}:beside"):
            return await self._attempt(entry, name)
        self._chaos.happened("message delivered again while it is worked on")
        first = self._loop.create_task(self._attempt(entry, f"{name}:first"))
        await asyncio.sleep(chance.choice((0.0, 0.1, 0.5, 5.0)))
        again = await self._attempt(entry, name)  # whoever has the lock settles it
        await first
        return again

    async def _attempt(self, entry: Entry, name: str) -> float | None:
        """Seconds until it is delivered again; None when it is settled."""
        assert self.context is not None
        if entry.sent.step in SESSIONS and not entry.dead and self.delivery is not None:
            DELIVERY.set(self.delivery(entry.sent.step, decode(entry.sent.body)))
        step, ctx, sent = STEPS[entry.sent.step], self.context, entry.sent
        try:
            if entry.dead:
                await self._fleet.run(
                    entry.queue, lambda: bury(step, sent.body, sent.id, GIVEN_UP, ctx)
                )
            else:
                await self._fleet.run(step.name, lambda: run(step, sent.body, sent.id, ctx))
        except BaseException as death:
            if is_kill(death):
                return LOCK
            if not isinstance(death, Exception):
                raise
            if not isinstance(death, StepError):
                self._bug(entry.queue, death)
            return 5.0 * entry.deliveries if entry.dead else 0.5
        rough = self._chaos.active and self._chaos.chance(name).random() < self._rate / 2
        if not rough or not self._chaos.allows(f"{name}:unsettled"):
            return None
        self._chaos.happened("message delivered again, its lock lost")
        return LOCK


class StormOutbox(FakeOutbox):
    """Sends through a `Broker`."""

    def __init__(self, clock: FakeClock, chaos: Chaos, broker: Broker) -> None:
        super().__init__(clock, chaos)
        self.broker = broker

    def _queue(self, sent: Sent) -> None:
        self.sent.append(sent)
        self.broker.put(sent, (sent.at - self._clock.now()).total_seconds())
