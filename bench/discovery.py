"""Accounts a second: our reader against a bare client, and against the SDK's model classes."""

import asyncio
import os
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
from azure.identity.aio import ClientSecretCredential

from bench.figures import Figure, Goal, Sample
from emulators.child import Child
from shared.adapters.graph_account_rows import USER_FIELDS
from shared.adapters.graph_client import Graph, Page
from shared.adapters.graph_entities import GraphEntities
from shared.adapters.graph_paging import LARGEST_PAGE
from shared.adapters.graph_query import query
from shared.model.entities import Reading
from shared.model.listed import UserRow
from shared.settings import Settings

USERS = 10_000
EVERYBODY = Reading(kind="user")
SAMPLE = 500
ROUNDS = 5
SAMPLE_ROUNDS = 3  # the SDK's models take seconds for each
SCOPE = "https://graph.microsoft.com/.default"
Read = Callable[[], Awaitable[int]]


class Tenant:
    """A seeded tenant, and the ways to read it."""

    def __init__(self, ready: dict[str, Any], graph: Graph, token: str) -> None:
        self._base = ready["graph"]
        self._trust = ssl.create_default_context(cafile=ready["ca_file"])
        self._graph = graph
        self._reader = GraphEntities(graph)
        self._token = token

    async def by_reader(self) -> int:
        """As discovery reads all users."""
        return sum([len(page.findings.rows) async for page in self._reader.pages(EVERYBODY)])

    async def by_bare_client(self) -> int:
        """The same pages with as little as can be done: one connection, decoded and counted."""
        count, fields = 0, ",".join(USER_FIELDS)
        decoder = msgspec.json.Decoder(Page[UserRow])
        link: str | None = f"{self._base}/users?$select={fields}&$top={LARGEST_PAGE}"
        headers = {"Authorization": f"Bearer {self._token}"}
        async with httpx.AsyncClient(verify=self._trust, headers=headers, timeout=60) as http:
            while link is not None:
                answer = await http.get(link)
                answer.raise_for_status()
                page = decoder.decode(answer.content)
                count, link = count + len(page.value), page.next_link
        return count

    async def sample_by_rows(self) -> int:
        """One page of users, decoded as all our adapters decode."""
        users = self._graph.client.users
        info = users.to_get_request_information(query(users, select=USER_FIELDS, top=SAMPLE))
        page = await self._graph.get(info, Page[UserRow])
        return len(page.value) if page else 0

    async def sample_by_models(self) -> int:
        """The same page through the SDK's own classes."""
        users = self._graph.client.users
        page = await users.get(query(users, select=USER_FIELDS, top=SAMPLE))
        return len(page.value or ()) if page else 0


async def measure(folder: Path) -> list[Figure]:
    async with opened(folder) as tenant:
        ours, bare = await speeds(ROUNDS, tenant.by_reader, tenant.by_bare_client)
        rows, models = await speeds(SAMPLE_ROUNDS, tenant.sample_by_rows, tenant.sample_by_models)
    return [
        Figure(
            name=f"discovery of {USERS} users",
            sample=Sample("our reader", "accounts/s", ours),
            base=Sample("bare client", "accounts/s", bare),
            goal=Goal(at_least=0.8),
        ),
        Figure(
            name=f"decoding {SAMPLE} users",
            sample=Sample("our rows", "accounts/s", rows),
            base=Sample("the SDK's models", "accounts/s", models),
            goal=Goal(at_least=5),
        ),
    ]


async def speeds(rounds: int, *ways: Read) -> list[tuple[float, ...]]:
    """Accounts a second of each way, taken in turn; both must find the same number."""
    counts = {await way() for way in ways}  # the first time also imports and connects
    if len(counts) != 1 or counts == {0}:
        raise RuntimeError(f"the ways to read disagree: {sorted(counts)} accounts")
    found: list[list[float]] = [[] for _ in ways]
    for _ in range(rounds):
        for way, taken in zip(ways, found, strict=True):
            began = time.perf_counter()
            count = await way()
            taken.append(count / (time.perf_counter() - began))
    return [tuple(taken) for taken in found]


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Tenant]:
    """A tenant in a process of its own, and Graph's client signed in as the automation."""
    arguments = ["emulators.graph", "--tls", str(folder / "tls"), "--users", str(USERS)]
    child = Child("graph", arguments, folder / "graph.log")
    ready = await child.start()
    os.environ["SSL_CERT_FILE"] = ready["ca_file"]  # the SDK's client reads nothing else
    credential = ClientSecretCredential(
        ready["tenant_id"],
        ready["automation"]["client_id"],
        ready["automation"]["client_secret"],
        authority=ready["authority"],
        disable_instance_discovery=True,
        connection_verify=ready["ca_file"],
    )
    settings = Settings(
        tenant_id=ready["tenant_id"],
        authority=ready["authority"],
        graph=ready["graph"],
        vault_url=ready["authority"],
    )
    graph = Graph(settings, credential)
    try:
        token = await credential.get_token(SCOPE)
        yield Tenant(ready, graph, token.token)
    finally:
        await asyncio.gather(graph.close(), credential.close())
        await child.stop()
        await child.gone()
