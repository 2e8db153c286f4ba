"""A large tenant and a storage, in processes of their own, and what they say of their use."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec

from emulators.azurite.server import serving
from emulators.child import Child

GROUP_OF = 50
"""Users for each group, and members of a group: as many memberships as users."""


class Service:
    """What clients are measured against."""

    def __init__(self, users: int, groups: int, ready: dict[str, Any], storage: str) -> None:
        self.users, self.groups = users, groups
        self.ready, self.storage = ready, storage
        trust = ssl.create_default_context(cafile=ready["ca_file"])
        self._admin = httpx.AsyncClient(verify=trust, timeout=600)

    async def target(self, **options: Any) -> dict[str, Any]:
        """All that a client's process is told; the token outlives every run."""
        form = {
            "grant_type": "client_credentials",
            "client_id": self.ready["automation"]["client_id"],
            "client_secret": self.ready["automation"]["client_secret"],
            "scope": "https://graph.microsoft.com/.default",
        }
        url = f"{self.ready['authority']}/{self.ready['tenant_id']}/oauth2/v2.0/token"
        answer = (await self._admin.post(url, data=form)).raise_for_status()
        own = {"token": answer.json()["access_token"], "storage": self.storage}
        return self.ready | own | {"users": self.users, "groups": self.groups} | options

    async def control(self, name: str, **body: Any) -> Any:
        answer = await self._admin.post(f"{self.ready['admin']}/{name}", json=body)
        return answer.raise_for_status().json()

    async def heal(self) -> None:
        (await self._admin.delete(f"{self.ready['admin']}/faults")).raise_for_status()

    async def used(self) -> dict[str, Any]:
        answer = await self._admin.get(f"{self.ready['admin']}/usage")
        found: dict[str, Any] = answer.raise_for_status().json()
        return found

    async def count_anew(self) -> None:
        (await self._admin.delete(f"{self.ready['admin']}/usage")).raise_for_status()

    async def truth(self) -> dict[str, Any]:
        """Counts and digests of what the tenant holds."""
        answer = await self._admin.get(f"{self.ready['admin']}/truth")
        found: dict[str, Any] = msgspec.json.decode(answer.raise_for_status().content)
        return found

    async def lines(self, what: str) -> list[dict[str, Any]]:
        url = f"{self.ready['admin']}/truth?what={what}"
        async with self._admin.stream("GET", url) as answer:
            return [msgspec.json.decode(line) async for line in answer.aiter_lines() if line]

    async def close(self) -> None:
        await self._admin.aclose()


@asynccontextmanager
async def opened(folder: Path, users: int, groups: int | None = None) -> AsyncIterator[Service]:
    count = users // GROUP_OF if groups is None else groups
    size = ["--users", str(users), "--groups", str(count)]
    graph = Child(
        "graph", ["emulators.graph", "--tls", str(folder / "tls"), *size], folder / "graph.log"
    )
    ready = await graph.start()
    try:
        async with serving(folder / "azurite", durable=False) as azurite:
            service = Service(users, count, ready, azurite.connection_string)
            try:
                yield service
            finally:
                await service.close()
    finally:
        await graph.stop()
        await graph.gone()
