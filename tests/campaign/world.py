"""The world of one seed: a tenant, a vault, a ledger, queues, and what people ask for."""

import asyncio
import json
import random
import uuid
from collections.abc import Callable, Collection, Coroutine, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from functions.steps.vault_events import vault_events
from shared import onboarding
from shared.errors import StepError
from shared.messages import StepMessage
from shared.model.connection import Connection, Operation
from tests.campaign.acts import Act, plan
from tests.campaign.broker import Broker, StormOutbox
from tests.campaign.chaos import Aim, Chaos, Outage, Point, Weather
from tests.campaign.deliveries import Delivery, delivery_of
from tests.campaign.errors import READS, SERVICES
from tests.campaign.invariants import Watch
from tests.campaign.ledger import StormLedger
from tests.campaign.loop import VirtualClock, VirtualLoop
from tests.campaign.processes import Fleet, is_kill
from tests.campaign.products import VARIANTS, body_of, draw, request_of
from tests.campaign.tenant import STALE, Replicas, StormTenant
from tests.campaign.timers import DAY
from tests.fakes import WRITE_SPACING, FakeContext, fake_context
from tests.fakes.tenant import ApplicationRow, PrincipalRow
from tests.fakes.vault import FakeVault, Version

ENOUGH = 5
"""Breaches after which a simulation is given up."""

WATCHED = ("credentials.", "certificates.", "consents.", "roles.", "vault.", "applications.")

LIST = "credentials.held"
HEALED_IN = 18 * DAY
"""The timers of a simulation are up to eight days apart, and an outage may take one of them."""
BOOKKEEPING = frozenset({"ledger.set_condition", "ledger.conclude", "ledger.advance"})


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
        self.calm, self.gentle = options.calm, options.gentle
        self.chaos.outages = [] if self.calm or self.gentle else outages(chance, self.storm)
        self.accepted: set[str] = set()
        self.aside: tuple[list[ApplicationRow], list[PrincipalRow]] = ([], [])  # deleted by hand
        self.breaches: list[str] = []
        self.over = asyncio.Event()
        self.planned = bool(options.profile)
        if self.planned:
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
        self.broker.context, self.broker.delivery = self.ctx, self._delivery
        self.watch = Watch(self, self.breach)
        self.replicas = Replicas(
            self.tenant, self.chaos, stale=self.weather.stale, lag=self.weather.lag
        )
        self.chaos.view = self._around
        if skews[0] or skews[1]:
            self.chaos.happened("clocks differ")

    def _around(self, method: str, part: object) -> AbstractContextManager[None]:
        view = self.replicas.around(method, self.loop.time())
        if method == LIST:
            return self._listing(view)
        if method in BOOKKEEPING:
            self.watch.order.note(method)
        if method in READS or method in STALE or not method.startswith(WATCHED):
            return view
        return self.watch.write(method)

    @contextmanager
    def _listing(self, view: AbstractContextManager[None]) -> Iterator[None]:
        with view:
            rows = [secret.id for a in self.applications().values() for secret in a.secrets]
            self.watch.order.listed(rows)
            yield

    # What the parts ask.

    def now(self) -> datetime:
        return self.clock.now()

    def breach(self, what: str) -> None:
        self.breaches.append(f"day {self.loop.time() / DAY:.2f}: {what}")
        if len(self.breaches) >= ENOUGH:
            self.over.set()

    def _delivery(self, step: str, message: StepMessage) -> Delivery:
        name = message.connection
        rows = self.connection(name), self.operation(name, message.operation)
        return delivery_of(step, name, *rows)

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
        await self.sleep(HEALED_IN)
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


def outages(chance: random.Random, seconds: float) -> list[Outage]:
    """Hours in which a service is down as a whole."""
    found = []
    for _ in range(chance.randint(0, 5)):
        start = chance.uniform(0, seconds)
        length = chance.choice((600.0, 3600.0, 6 * 3600.0, 20 * 3600.0))
        found.append(Outage(chance.choice(sorted(SERVICES)), start, start + length))
    return found
