"""The least that a client can do: raw pages over aiohttp, decoded with msgspec, rows counted.

It stores nothing, retries nothing and forgets what it saw: a ceiling for speed, no product.
"""

import asyncio
import ssl
from collections.abc import Callable
from typing import Any

import aiohttp
import msgspec

from bench.scale.rounds import Digest, Rows
from shared.adapters.graph_account_rows import USER_FIELDS

USERS = f"/users?$top=999&$select={','.join(USER_FIELDS)}"
"""The product's own request: both read the same bytes."""
GROUPS = "/groups?$top=999&$select=id,displayName"
MEMBERS = "/groups/{}/members?$top=999&$select=id"
BATCH, IN_FLIGHT, CONNECTIONS = 20, 4, 32


class User(msgspec.Struct, rename="camel"):
    id: str
    user_principal_name: str
    display_name: str | None = None
    mail: str | None = None
    account_enabled: bool | None = None
    user_type: str | None = None
    job_title: str | None = None
    department: str | None = None
    created_date_time: str | None = None
    on_premises_sync_enabled: bool | None = None


class Item(msgspec.Struct):
    id: str


class UserPage(msgspec.Struct):
    value: list[User]
    link: str | None = msgspec.field(default=None, name="@odata.nextLink")


class ItemPage(msgspec.Struct):
    value: list[Item]
    link: str | None = msgspec.field(default=None, name="@odata.nextLink")


class Inner(msgspec.Struct):
    id: str
    status: int
    body: ItemPage


class Batch(msgspec.Struct):
    responses: list[Inner]


class Floor:
    def __init__(self, target: dict[str, Any], *, with_groups: bool) -> None:
        self._base = target["graph"]
        self._trust = ssl.create_default_context(cafile=target["ca_file"])
        self._headers = {"Authorization": f"Bearer {target['token']}"}
        self._with_groups = with_groups
        self.digests: dict[str, Digest] | None = None
        """Filled when the rows are to be compared, which takes time."""

    async def read(self) -> Rows:
        connector = aiohttp.TCPConnector(limit=CONNECTIONS, ssl=self._trust)
        async with aiohttp.ClientSession(connector=connector, headers=self._headers) as http:
            self._http = http
            if not self._with_groups:
                return {"users": await self._users()}
            users, (groups, links) = await asyncio.gather(self._users(), self._groups())
        return {"users": users, "groups": groups, "memberships": links}

    async def _page(self, link: str, type_: Callable[..., Any]) -> Any:
        return msgspec.json.decode(await self._fetched(link), type=type_)

    async def _fetched(self, link: str) -> bytes:
        async with self._http.get(link) as answer:
            answer.raise_for_status()
            return await answer.read()

    async def _users(self) -> int:
        count, link = 0, self._base + USERS
        while link:
            page = await self._page(link, UserPage)
            count, link = count + len(page.value), page.link
            if self.digests is not None:
                self.digests["users"].add(user.id for user in page.value)
        return count

    async def _groups(self) -> tuple[int, int]:
        ids: list[str] = []
        link = self._base + GROUPS
        while link:
            page = await self._page(link, ItemPage)
            ids += [group.id for group in page.value]
            link = page.link
        batches = [ids[at : at + BATCH] for at in range(0, len(ids), BATCH)]
        turns = asyncio.Semaphore(IN_FLIGHT)
        counts = await asyncio.gather(*(self._members(batch, turns) for batch in batches))
        return len(ids), sum(counts)

    async def _members(self, groups: list[str], turns: asyncio.Semaphore) -> int:
        body = {
            "requests": [
                {"id": str(at), "method": "GET", "url": MEMBERS.format(group)}
                for at, group in enumerate(groups)
            ]
        }
        async with turns, self._http.post(f"{self._base}/$batch", json=body) as answer:
            batch = msgspec.json.decode(await answer.read(), type=Batch)
        count = 0
        for inner in batch.responses:
            page, group = inner.body, groups[int(inner.id)]
            while True:
                count += len(page.value)
                if self.digests is not None:
                    self.digests["memberships"].add(f"{group}/{item.id}" for item in page.value)
                if not page.link:
                    break
                page = await self._page(page.link, ItemPage)
        return count
