"""Emulators in processes of their own, the product's steps and SDKs in this one, and a queue."""

import asyncio
import heapq
import itertools
import json
import logging
import os
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import msgspec

from emulators.azurite.server import serving
from emulators.child import Child
from emulators.demo.products import devolutions
from functions import declare_steps
from functions.sweeps import sweep
from shared import onboarding
from shared.bootstrap import build
from shared.context import Context
from shared.messages import Event, StepMessage, encode
from shared.requests import Request, check_request
from shared.runtime import run
from shared.settings import Settings
from shared.step import STEPS

USERS = 60
OVERLAP = timedelta(days=8)  # longer than the profile's


class Clock:
    """Implements ``ports.Clock``: real time, and what a measurement skips."""

    def __init__(self) -> None:
        self.skipped = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.skipped


class Queue:
    """Implements ``ports.Outbox``: one message of a connection at a time, as sessions do.

    With *copies* each message is delivered so often at once: at least once, without sessions.
    An *impatient* one skips the time until the next message is due.
    """

    def __init__(self, clock: Clock, copies: int = 1, *, impatient: bool = False) -> None:
        self._clock, self._copies, self._impatient = clock, copies, impatient
        self._waiting: list[tuple[datetime, int, str, StepMessage]] = []
        self._count = itertools.count()
        self._taken: Counter[str] = Counter()
        self.taken = 0
        self._over: list[StepMessage] = []

    async def send(self, step: str, message: StepMessage, *, at: datetime | None = None) -> None:
        for _ in range(self._copies if message.attempt == 1 else 1):
            entry = (at or self._clock.now(), next(self._count), step, message)
            heapq.heappush(self._waiting, entry)

    async def provision(self, body: bytes, message_id: str) -> None: ...

    async def publish(self, event: Event) -> None: ...

    async def set_aside(self, body: bytes, message_id: str, reason: str) -> None: ...

    async def work(self, ctx: Context, steps: Iterable[str], workers: int) -> None:
        """Deliver until nothing is left; operations that come to another step are over."""
        wanted, busy = frozenset(steps), Counter[str]()

        async def worker() -> None:
            while self._waiting or busy.total():
                taken = self._take()
                if taken is None:
                    await asyncio.sleep(0.005)  # nothing is due: a pace of the poll
                    continue
                step, message = taken
                busy[message.connection] += 1
                self._taken[message.connection] += 1
                self.taken += 1
                try:
                    if step in wanted:
                        await run(STEPS[step], encode(message), "", ctx)
                    else:
                        self._over.append(message)
                finally:
                    busy[message.connection] -= 1
                    self._taken[message.connection] -= 1

        await asyncio.gather(*(worker() for _ in range(workers)))

    def _take(self) -> tuple[str, StepMessage] | None:
        now = self._clock.now()
        for entry in sorted(self._waiting):
            at, _, step, message = entry
            if at > now and not self._impatient:
                return None
            if self._taken[message.connection] < self._copies:
                self._clock.skipped += max(at - now, timedelta(0))
                self._waiting.remove(entry)
                heapq.heapify(self._waiting)
                return step, message
        return None

    async def end(self, ctx: Context) -> None:
        """End the operations that are over, so that others of their connections can begin."""
        over, self._over = self._over, []
        for message in over:
            known = await ctx.ledger.operation(message.connection, message.operation)
            if known is not None:
                ended = msgspec.structs.replace(known, state="succeeded")
                await ctx.ledger.advance(ended, known=known)


class Workshop:
    """An emulated tenant and vault, a ledger on Azurite, and connections to work on."""

    def __init__(self, graph: dict[str, Any], vault: dict[str, Any], storage: str) -> None:
        self.graph, self.vault = graph, vault
        self.trust = ssl.create_default_context(cafile=graph["ca_file"])
        self.clock = Clock()
        self._storage = storage
        self._admin = httpx.AsyncClient(verify=self.trust, timeout=60)
        self._open: list[Context] = []

    async def context(self, *, patience: float, pace: float = 0.0, copies: int = 1) -> Context:
        """As the functions build it; *patience* scales the waits within the adapters."""
        settings = Settings(
            tenant_id=self.graph["tenant_id"],
            authority=self.graph["authority"],
            graph=self.graph["graph"],
            vault_url=self.vault["vault"],
            servicebus_namespace="localhost",  # never reached: the queue is our own
            storage_connection=self._storage,
            pace=patience,
        )
        built = await build(settings)
        self._open.append(built)
        queue = Queue(self.clock, copies)
        return msgspec.structs.replace(built, clock=self.clock, outbox=queue, pace=pace)

    async def control(self, name: str, **body: Any) -> Any:
        answer = await self._admin.post(f"{self.graph['admin']}/{name}", json=body)
        answer.raise_for_status()
        return answer.json()

    async def clear(self) -> None:
        """Forget the traffic so far."""
        (await self._admin.delete(f"{self.graph['admin']}/traffic")).raise_for_status()

    async def heal(self) -> None:
        (await self._admin.delete(f"{self.graph['admin']}/faults")).raise_for_status()

    async def traffic(self) -> list[dict[str, Any]]:
        answer = await self._admin.get(f"{self.graph['admin']}/traffic")
        return [msgspec.json.decode(line) for line in answer.content.splitlines()]

    async def tokens(self) -> int:
        """Requests to the token endpoint since the traffic was cleared."""
        answer = await self._admin.get(f"{self.graph['admin']}/traffic?count=1")
        return int(answer.json()["token"])

    @property
    def token_url(self) -> str:
        return f"{self.graph['authority']}/{self.graph['tenant_id']}/oauth2/v2.0/token"

    @property
    def form(self) -> dict[str, str]:
        """The automation's sign-in."""
        automation = self.graph["automation"]
        return {
            "grant_type": "client_credentials",
            "client_id": automation["client_id"],
            "client_secret": automation["client_secret"],
            "scope": "https://graph.microsoft.com/.default",
        }

    @asynccontextmanager
    async def bare(self) -> AsyncIterator[httpx.AsyncClient]:
        """A client of Graph that does as little as can be done, signed in as the automation."""
        async with httpx.AsyncClient(verify=self.trust, timeout=60) as http:
            answer = await http.post(self.token_url, data=self.form)
            http.headers["authorization"] = f"Bearer {answer.json()['access_token']}"
            yield http

    async def onboard(self, ctx: Context, names: list[str]) -> None:
        """Up to a published secret."""
        for name in names:
            await onboarding.onboard(ctx, wish(name), asked_by="bench")
        await work(ctx, ("registration", "consent", "roles", "credentials"), 8)

    async def close(self) -> None:
        await self._admin.aclose()
        # The functions never close a context: their process ends with it, and says nothing.
        logging.getLogger("asyncio").setLevel(logging.CRITICAL)
        for ctx in self._open:
            await ctx.vault.close()  # type: ignore[attr-defined] # the adapter's


def wish(name: str) -> Request:
    body = devolutions(name, "groups").body() | {"approval": {"reason": "benchmark"}}
    checked = check_request(json.dumps(body).encode())
    if not isinstance(checked, Request):
        raise TypeError(f"the request for {name} is refused: {checked}")
    return checked


async def work(ctx: Context, steps: Iterable[str], workers: int) -> None:
    declare_steps()
    queue = ctx.outbox
    if not isinstance(queue, Queue):
        raise TypeError("only a workshop's context has a queue to work off")
    await queue.work(ctx, steps, workers)
    await queue.end(ctx)


async def rotate(ctx: Context, names: list[str], mark: str) -> None:
    """Start a rotation of each; `work` carries them out."""
    for name in names:
        await onboarding.run(ctx, name, "rotate", f"rotate-{mark}-{name}", asked_by="bench")


async def retire(shop: Workshop, ctx: Context, names: list[str], workers: int) -> None:
    """Let the overlap pass, and remove what was replaced."""
    shop.clock.skipped += OVERLAP
    for name in names:
        await ctx.ledger.set_due("retire", name, ctx.clock.now())
    await sweep(ctx, "retire")
    await work(ctx, ("retirement",), workers)


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Workshop]:
    common = ["--tls", str(folder / "tls")]
    graph = Child(
        "graph", ["emulators.graph", *common, "--users", str(USERS)], folder / "graph.log"
    )
    ready = await graph.start()
    authority = ["--authority", ready["authority"], "--tenant", ready["tenant_id"]]
    vault = Child("keyvault", ["emulators.keyvault", *common, *authority], folder / "vault.log")
    try:
        served = await vault.start()
        _trust(ready)
        async with serving(folder / "azurite", durable=False) as azurite:
            workshop = Workshop(ready, served, azurite.connection_string)
            try:
                yield workshop
            finally:
                await workshop.close()
    finally:
        await asyncio.gather(graph.stop(), vault.stop())
        await asyncio.gather(graph.gone(), vault.gone())


def _trust(ready: dict[str, Any]) -> None:
    """What the functions' process finds in its environment when it starts."""
    os.environ["SSL_CERT_FILE"] = ready["ca_file"]
    # Made once, when aiohttp is imported; that was before the authority's certificate was.
    context = ssl.create_default_context(cafile=ready["ca_file"])
    setattr(aiohttp.connector, "_SSL_CONTEXT_VERIFIED", context)  # noqa: B010 - it is not public
    automation = ready["automation"]
    os.environ["AZURE_TENANT_ID"] = ready["tenant_id"]
    os.environ["AZURE_CLIENT_ID"] = automation["client_id"]
    os.environ["AZURE_CLIENT_SECRET"] = automation["client_secret"]
