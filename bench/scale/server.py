"""The emulator's control interface, from a client's process between two measurements."""

import asyncio
import json
import ssl
import urllib.request
from typing import Any


class Server:
    def __init__(self, target: dict[str, Any]) -> None:
        self._admin = target["admin"]
        self._trust = ssl.create_default_context(cafile=target["ca_file"])

    async def used(self) -> dict[str, Any]:
        found: dict[str, Any] = await self._call("GET", "usage")
        return found

    async def count_anew(self) -> None:
        await self._call("DELETE", "usage")

    async def hits(self) -> int:
        """Calls that faults have struck."""
        return sum(rule["hits"] for rule in await self._call("GET", "faults"))

    async def heal(self) -> None:
        await self._call("DELETE", "faults")

    async def control(self, name: str, **body: Any) -> Any:
        return await self._call("POST", name, body)

    async def truth(self) -> dict[str, Any]:
        found: dict[str, Any] = await self._call("GET", "truth")
        return found

    async def _call(self, method: str, name: str, body: Any = None) -> Any:
        return await asyncio.to_thread(self._sync, method, name, body)

    def _sync(self, method: str, name: str, body: Any) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(  # noqa: S310 - the emulator's own address
            f"{self._admin}/{name}", data, {"Content-Type": "application/json"}, method=method
        )
        with urllib.request.urlopen(request, context=self._trust, timeout=600) as answer:  # noqa: S310
            text = answer.read()
        return json.loads(text) if text else None
