"""One seed: some months of a few connections, with everything that may go wrong."""

import asyncio
import json
import logging
import random
import uuid
from collections.abc import Callable, Collection, Coroutine
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from unittest import mock

from functions import declare_steps
from functions.steps.vault_events import vault_events
from shared import onboarding
from shared.errors import StepError
from shared.model.connection import Connection, Operation, Status
from tests.campaign.acts import DISABLE, Act, emergency, leak, perform, plan
from tests.campaign.broker import Broker, StormOutbox
from tests.campaign.chaos import Aim, Chaos, Counts, Outage, Point, Weather
from tests.campaign.errors import READS, SERVICES
from tests.campaign.final import FINAL, breaches
from tests.campaign.invariants import Watch
from tests.campaign.ledger import StormLedger
from tests.campaign.loop import VirtualClock, VirtualLoop
from tests.campaign.processes import CURRENT, Fleet, is_kill
from tests.campaign.products import VARIANTS, body_of, draw, profiles, request_of
from tests.campaign.tenant import STALE, Replicas, StormTenant
from tests.campaign.timers import DAY, Timers
from tests.fakes import WRITE_SPACING, FakeContext, fake_context
from tests.fakes.tenant import ApplicationRow, PrincipalRow
from tests.fakes.vault import FakeVault, Version

QUIET = 14 * DAY
"""Seconds after the last fault, in which everything must come to its end."""

ENOUGH = 5
"""Breaches after which a simulation is given up."""

WATCHED = ("credentials.", "certificates.", "consents.", "roles.", "vault.", "applications.")


@dataclass
class Outcome:
    """What became of one seed."""

    seed: int
    breaches: list[str]
    struck: list[str]
    counts: Counts
    days: float = 0.0
    rotations: int = 0
    deaths: int = 0
    connections: int = 0


@dataclass
class Options:
    """`only` limits faults and acts to these events; `targets` are crash points to hit.

    A `gentle` simulation has the acts and no faults, a `calm` one has only its onboardings.
    """

    only: Collection[str] | None = None
    targets: Collection[Point] = ()
    calm: bool = False
    gentle: bool = False
    aims: Collection[Aim] = ()
    planned: Collection[tuple[float, str]] = ()  # days and acts, instead of those by chance
    profile: str = ""  # of the only connection
    variant: str = ""
    months: tuple[float, float] = (2.0, 2.5)


class World:
    """Everything of one simulation."""

    def __init__(self, seed: int, options: Options, loop: VirtualLoop) -> None:
        self.seed, self.loop = seed, loop
        chance = random.Random(f"world {seed}")
        self.fleet = Fleet(loop)
        self.weather = Weather.of(chance)
        self.chaos = Chaos(
            seed,
            self.fleet,
            self.weather,
            targets=options.targets,
            aims=options.aims,
            only=options.only,
        )
        self.storm = chance.uniform(*options.months) * 30 * DAY
        self.bodies = {f"product-{n}": draw(n, chance) for n in range(2)}
        self.names = list(self.bodies)
        self.variant = chance.choice(sorted(VARIANTS))
        self.acts: list[Act] = plan(chance, self.names, self.storm)
        self._calm, self._gentle = options.calm, options.gentle
        self.chaos.outages = [] if self._calm or self._gentle else outages(chance, self.storm)
        self.accepted: set[str] = set()
        self.aside: tuple[list[ApplicationRow], list[PrincipalRow]] = ([], [])  # deleted by hand
        self.breaches: list[str] = []
        self.over = asyncio.Event()
        self._planned = bool(options.profile)
        if self._planned:
            self._by_plan(options)
        self._build(chance)

    def _by_plan(self, options: Options) -> None:
        """One connection, and what happens to it, as written."""
        self.bodies = {"product-0": body_of(options.profile, 0)}
        self.names, self.variant = list(self.bodies), options.variant
        days = [(1.0, "onboarding"), *options.planned]
        self.acts = [
            Act(number, day * DAY, what, "product-0") for number, (day, what) in enumerate(days)
        ]
        self.storm = max(day for day, _ in days) * DAY + DAY

    def _build(self, chance: random.Random) -> None:
        skews = [timedelta(seconds=chance.choice((0, 0, -2, 45, -240))) for _ in range(2)]
        self.clock = VirtualClock(self.loop)
        self.tenant = StormTenant(VirtualClock(self.loop, skews[0]), self.chaos)
        self.ledger = StormLedger(self.clock, self.chaos, self.loop, WRITE_SPACING)
        self.broker = Broker(self.loop, self.fleet, self.chaos, self.weather.messages, self.bug)
        vault = FakeVault(VirtualClock(self.loop, skews[1]), self.chaos)
        self.ctx: FakeContext = fake_context(
            tenant=self.tenant,
            clock=self.clock,
            ledger=self.ledger,
            vault=vault,
            outbox=StormOutbox(self.clock, self.chaos, self.broker),
        )
        self.broker.context = self.ctx
        self.watch = Watch(self, self.breach)
        self.replicas = Replicas(
            self.tenant, self.chaos, stale=self.weather.stale, lag=self.weather.lag
        )
        self.chaos.view = self._around
        if skews[0] or skews[1]:
            self.chaos.happened("clocks differ")

    def _around(self, method: str, part: object) -> AbstractContextManager[None]:
        view = self.replicas.around(method, self.loop.time())
        if method in READS or method in STALE or not method.startswith(WATCHED):
            return view
        return self.watch.write(method)

    # What the parts ask.

    def now(self) -> datetime:
        return self.clock.now()

    def breach(self, what: str) -> None:
        self.breaches.append(f"day {self.loop.time() / DAY:.2f}: {what}")
        if len(self.breaches) >= ENOUGH:
            self.over.set()

    def bug(self, where: str, error: BaseException) -> None:
        self.breach(f"{where} raised {error!r}")

    def connection(self, name: str) -> Connection | None:
        return self.ledger.peek(name)

    def operations(self) -> list[Operation]:
        return self.ledger.all_operations()

    def operation(self, name: str, operation: str) -> Operation | None:
        return self.ledger.one_operation(name, operation)

    def applications(self) -> dict[str, ApplicationRow]:
        """By connection."""
        return {
            unique.removeprefix("keyturn-"): row
            for unique, row in self.tenant.applications.items()
            if unique.startswith("keyturn-")
        }

    def principal(self, name: str) -> PrincipalRow | None:
        application = self.applications().get(name)
        return self.tenant.principals.get(application.client_id) if application else None

    def served(self, name: str) -> Version | None:
        versions = self.ctx.vault.versions.get(name, [])
        return versions[-1] if versions and versions[-1].enabled else None

    def foreign_ids(self) -> set[str]:
        """Ids of everything that could be foreign, as far as it is there."""
        there: set[str] = set()
        applications = [*self.tenant.applications.values(), *self.aside[0]]
        for row in applications:
            there.update(secret.id for secret in row.secrets)
        for principal in [*self.tenant.principals.values(), *self.aside[1]]:
            for rows in (principal.grants, principal.delegated, principal.roles):
                there.update(row.id for row in rows)
        return there

    def broken(self, name: str) -> None:
        """By hand: excused until a verification, and the rotation after it, can have healed it."""
        self.watch.excused[name] = self.now()
        self.may_rotate(name)
        self.loop.create_task(self._mended(name, self.now()))

    def may_rotate(self, name: str) -> None:
        self.watch.needed[name] = self.now()

    async def _mended(self, name: str, since: datetime) -> None:
        await self.sleep(12 * DAY)
        if self.watch.excused.get(name) == since:
            del self.watch.excused[name]

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    # What people and systems ask for.

    async def ask(
        self, about: str, work: Callable[[], Coroutine[Any, Any, Any]], *, tries: int = 40
    ) -> bool:
        """A request that is sent again until it is answered; whether it was taken."""
        for _ in range(tries):
            try:
                await self.fleet.run(f"{about} request", work)
            except onboarding.Rejected:
                return False
            except BaseException as death:
                if isinstance(death, asyncio.CancelledError):
                    raise
                if isinstance(death, StepError) or is_kill(death):
                    await self.sleep(300)
                    continue
                self.bug(f"{about} request", death)
                return False
            else:
                return True
        return False

    async def onboard(self, name: str) -> None:
        wanted = request_of(self.bodies[name])
        if await self.ask(
            "onboarding", lambda: onboarding.onboard(self.ctx, wanted, asked_by="ana")
        ):
            self.accepted.add(name)

    async def offboard(self, name: str) -> None:
        """Asked for again while another operation is in flight."""
        operation = uuid.uuid4().hex
        self.watch.hurried.add(name)
        for _ in range(200):
            if await self.ask(
                "offboarding",
                lambda: onboarding.offboard(
                    self.ctx, name, operation, reason="no longer used", asked_by="ana"
                ),
            ):
                return
            await self.sleep(1800)

    async def near_expiry(self, name: str, version: str) -> None:
        event = {
            "eventType": "Microsoft.KeyVault.SecretNearExpiry",
            "data": {"ObjectName ": name, "Version": version},
        }
        body, id_ = json.dumps([event]).encode(), uuid.uuid4().hex
        current = self.served(name)
        if current is not None and current.id == version:
            self.may_rotate(name)
        await self.ask("event", lambda: vault_events(body, id_, self.ctx))

    # The course of it.

    async def run(self) -> None:
        self.chaos.active = not (self._calm or self._gentle)
        timers = Timers(self.ctx, self.ledger, self.fleet, self.chaos, self.bug)
        going_on = [timers.run(), self._days(), *map(self._act, self.acts)]
        background = [self.loop.create_task(each) for each in going_on]
        end = self.loop.create_task(self._course())
        background.append(end)
        over = self.loop.create_task(self.over.wait())
        await asyncio.wait([end, over], return_when=asyncio.FIRST_COMPLETED)
        if end.done():
            end.result()
            for breach in breaches(self, self.watch):
                self.breach(breach)
        for task in background:
            task.cancel()

    async def _course(self) -> None:
        await self.sleep(self.storm)
        self.chaos.active = False
        await self.sleep(4 * DAY)
        held = {row.id for a in self.applications().values() for row in a.secrets}
        for name in {of for key, of in self.watch.leaked.items() if key in held}:
            await emergency(self, name)  # where the first one stopped, as its remedy says
        for name in self.names:
            await self._on_duty(name)
        await self.sleep(5 * DAY)  # all timers have fired since the last thing done by hand
        for name in self.names:
            await self._on_duty(name)
        await self.sleep(QUIET - 9 * DAY)
        await self._settled()

    async def _settled(self) -> None:
        """What began just now has two hours to end."""
        for _ in range(24):
            if all(operation.state in FINAL for operation in self.operations()):
                return
            await self.sleep(300)

    async def _act(self, act: Act) -> None:
        await self.sleep(act.at)
        if not self._calm and not self._planned and self.chaos.allows(act.event):
            self.chaos.happened(f"by hand: {act.what}")
            await perform(self, act)
        elif self._planned or (self._calm and act.what == "onboarding"):
            await perform(self, act)

    async def _days(self) -> None:
        while True:
            await self.sleep(DAY)
            self.watch.daily()
            for name in self.names:
                chance = self.chaos.chance("duty", name, int(self.loop.time() / DAY))
                if chance.random() < 0.1:
                    await self._on_duty(name)

    async def _on_duty(self, name: str) -> None:
        """A person who follows the remedies: what stopped is asked for again."""
        known = self.connection(name)
        if known is None or (known.offboarding and known.offboarding.finished):
            return
        principal = self.principal(name)
        if known.offboarding is not None:
            await self.offboard(name)
        elif principal is not None and not principal.enabled and self.watch.is_stopped(name):
            await leak(self, name, (DISABLE,))  # where the first one stopped
        elif any(condition.status == Status.FALSE for condition in known.conditions):
            await self.onboard(name)


def outages(chance: random.Random, seconds: float) -> list[Outage]:
    """Hours in which a service is down as a whole."""
    found = []
    for _ in range(chance.randint(0, 5)):
        start = chance.uniform(0, seconds)
        length = chance.choice((600.0, 3600.0, 6 * 3600.0, 20 * 3600.0))
        found.append(Outage(chance.choice(sorted(SERVICES)), start, start + length))
    return found


def simulate(seed: int, options: Options | None = None) -> Outcome:
    """Run one seed to its end; the same seed and options always do the same."""
    return simulated(seed, options)[1]


def simulated(seed: int, options: Options | None = None) -> tuple[World, Outcome]:
    """The same, with the world as it is then."""
    declare_steps()
    log = logging.getLogger("keyturn")
    level = log.level
    log.setLevel(logging.CRITICAL + 1)
    try:
        return _repeatable(seed, options or Options())
    finally:
        log.setLevel(level)


def _repeatable(seed: int, options: Options) -> tuple[World, Outcome]:
    """Ids and values come from the seed, too."""
    loop = VirtualLoop()
    loop.set_exception_handler(lambda *_: None)
    numbers = random.Random(f"ids {seed}")

    def number(bits: int) -> int:
        return numbers.getrandbits(bits)

    def new_id() -> uuid.UUID:
        return uuid.UUID(int=number(128), version=4)

    def value(size: int) -> str:
        return f"{number(8 * size):x}"

    with (
        mock.patch("uuid.uuid4", new=new_id),
        mock.patch("tests.fakes.tenant.secrets.token_urlsafe", new=value),
    ):
        return _run(seed, options, loop)


def _run(seed: int, options: Options, loop: VirtualLoop) -> tuple[World, Outcome]:
    asyncio.set_event_loop(loop)
    CURRENT.set(None)
    try:
        world = World(seed, options, loop)
        with profiles(world.variant):
            loop.run_until_complete(world.run())
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        asyncio.set_event_loop(None)
        loop.close()
    return world, Outcome(
        seed=seed,
        breaches=world.breaches,
        struck=world.chaos.struck,
        counts=world.chaos.counts,
        days=loop.time() / DAY,
        rotations=sum(len(p) - 1 for p in world.watch.published.values()),
        deaths=world.fleet.deaths,
        connections=len(world.names),
    )
