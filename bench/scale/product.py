"""Keyturn in its client's process: its readers alone, and whole runs of the discovery step."""

import hashlib
import itertools
import os
from datetime import UTC, datetime
from typing import Any

import msgspec

from bench.scale.blobs import Storage
from bench.scale.rounds import Digest, Rows
from bench.workshop import Clock, Queue
from functions import declare_steps
from shared.adapters.graph_client import Graph
from shared.adapters.graph_entities import GraphEntities
from shared.adapters.identity import own_credential
from shared.bootstrap import build
from shared.context import Context
from shared.messages import StepMessage
from shared.model.accounts import Summary
from shared.model.connection import Connection, Operation, Spec
from shared.model.entities import Reading
from shared.operations import FULL_RUN
from shared.planning import discovery as plan
from shared.profile import catalogue
from shared.settings import Settings

PROFILE = "bitwarden-directory-connector"
"""One that takes users, groups and memberships, and follows their changes."""

USUAL_SLICE = 240.0
"""Seconds; the setting's default."""


def settings_of(target: dict[str, Any]) -> Settings:
    return Settings(
        tenant_id=target["tenant_id"],
        authority=target["authority"],
        graph=target["graph"],
        vault_url=target["authority"],  # never reached, as nothing is published
        servicebus_namespace="localhost",  # never reached: the queue is our own
        storage_connection=target["storage"],
        scan_slice=target.get("slice", USUAL_SLICE),
        pace=target.get("pace", 1.0),
    )


def graph_of(target: dict[str, Any]) -> Graph:
    settings = settings_of(target)
    return Graph(settings, own_credential(settings))


def readings(mode: str, profile: str = PROFILE) -> tuple[Reading, ...]:
    """What the step would read."""
    policy = catalogue()[profile].discovery
    if policy is None:
        raise RuntimeError(f"{profile} has no discovery")
    inputs = _inputs(mode)
    return plan.readings(plan.search(inputs, policy.modes), policy, inputs)


def _inputs(mode: str) -> dict[str, Any]:
    """Without the report of registrations: no other client reads it, and Graph's own limit on
    reports, five requests in ten seconds, would be all that is measured."""
    inputs: dict[str, Any] = {"config_name": "Benchmark", "read_mfa": False}
    return inputs if mode == "all" else inputs | {"search_mode": mode}


class Reader:
    """Reading and decoding alone, as the floor does: what is found is counted and forgotten."""

    def __init__(self, target: dict[str, Any], *, mode: str) -> None:
        self._graph = graph_of(target)
        self._readings = readings(mode)

    async def read(self) -> Rows:
        import asyncio

        found = await asyncio.gather(*(self._count(each) for each in self._readings))
        total: dict[str, int] = {}
        for counts in found:
            for name, count in counts.items():
                total[name] = total.get(name, 0) + count
        return total

    async def _count(self, wanted: Reading) -> Rows:
        rows = links = 0
        async for page in GraphEntities(self._graph).pages(wanted):
            rows += len(page.findings.rows)
            links += len(page.findings.links)
        if wanted.kind == "user":
            return {"users": rows}
        return {"groups": rows, "memberships": links} if wanted.kind == "group" else {}

    async def close(self) -> None:
        await self._graph.close()


class Runs:
    """Whole runs by the runtime, with the adapters of production: storage, retries, limiter."""

    def __init__(self, target: dict[str, Any], *, mode: str, profile: str = PROFILE) -> None:
        self._target, self._mode, self._profile = target, mode, profile
        self._numbers = itertools.count(1)
        self.ctx: Context
        self.storage = Storage()
        self.last = ""
        """Connection of the last reading."""
        self.deliveries = 0
        """Messages of the step that were taken: slices, and attempts again."""

    async def open(self, *, impatient: bool = False) -> None:
        """*impatient* skips the waits between attempts."""
        declare_steps()
        self.storage.watch()
        clock = Clock()
        built = await build(settings_of(self._target))
        self.ctx = msgspec.structs.replace(
            built, clock=clock, outbox=Queue(clock, impatient=impatient)
        )

    async def connect(self, name: str) -> str:
        """A connection that is onboarded but for its discovery."""
        spec = Spec(
            name=name, profile=self._profile, features=self._features, inputs=_inputs(self._mode)
        )
        await self.ctx.ledger.create(Connection(spec=spec, created=datetime.now(UTC)))
        return name

    @property
    def _features(self) -> dict[str, bool]:
        profile = catalogue()[self._profile]
        return dict.fromkeys(profile.discovery.when if profile.discovery else (), True)

    async def read(self) -> Rows:
        """A first run of a new connection: everything is read, and everything is stored."""
        await self.prepare()
        await self.first()
        return await self.rows()

    async def prepare(self) -> None:
        """The new connection."""
        await self._end()
        self.last = await self.connect(f"{self._mode}-{os.getpid()}-{next(self._numbers)}")

    async def first(self) -> Rows:
        """Its first run."""
        await self.run(self.last)
        return {}

    async def rows(self) -> Rows:
        """What that has found."""
        return rows_of(await self.summary(self.last))

    async def run(self, name: str, *, full: bool = False) -> None:
        """One operation, from its beginning on; *full* reads everything again."""
        await self._end()
        operation = hashlib.sha256(f"{name}/{next(self._numbers)}".encode()).hexdigest()[:32]
        now = self.ctx.clock.now()
        begun = Operation(
            id=operation,
            kind="discover",
            connection=name,
            state="running",
            step="discovery",
            started=now,
            changed=now,
            reason=FULL_RUN if full else "",
        )
        if not await self.ctx.ledger.begin(begun):
            raise RuntimeError(f"{name} is busy")
        message = StepMessage(kind="discover", connection=name, operation=operation)
        queue = self.ctx.outbox
        await queue.send("discovery", message)
        before = queue.taken  # type: ignore[attr-defined] # the bench's
        await queue.work(self.ctx, ("discovery",), 1)  # type: ignore[attr-defined]
        self.deliveries += queue.taken - before  # type: ignore[attr-defined]

    async def _end(self) -> None:
        """The step that follows is the operation's last here, and takes no time of the run."""
        await self.ctx.outbox.end(self.ctx)  # type: ignore[attr-defined] # the bench's

    async def summary(self, name: str) -> Summary:
        """Of the last run."""
        await self._end()
        return (await self.ctx.account_store.summaries(name))[0]

    async def found(self, name: str) -> dict[str, Any]:
        """Digests of what the latest snapshot holds."""
        users, links = Digest(), Digest()
        async for account in self.ctx.account_store.accounts(name):
            users.add((account.id,))
        async for link in self.ctx.account_store.links(name):
            if link.kind == "members" and link.of == "group":
                links.add((f"{link.source}/{link.target}",))
        return {"users": users.view(), "memberships": links.view()}


def rows_of(summary: Summary) -> Rows:
    return {
        "users": summary.accounts,
        "groups": summary.entities.get("group", 0),
        "memberships": summary.links,
    }
