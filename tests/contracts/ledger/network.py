"""A connection to storage that breaks at a chosen call, and the ledger on it."""

import asyncio
from typing import Any

from azure.core.exceptions import ServiceRequestError
from azure.core.pipeline.transport import AioHttpTransport
from azure.data.tables.aio import TableServiceClient


class Crash(Exception):
    """The process died here: nothing in the product catches it."""


class Network(AioHttpTransport):  # type: ignore[misc] # imported lazily there, so untyped
    """Counts calls; breaks at the one that a test chose."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []
        self._left = 0
        self._after_effect = False
        self._dead = False
        self._unavailable: set[int] = set()
        self._called = asyncio.Condition()
        self.cut = False  # while true, storage cannot be reached

    def crash_at(self, call: int, *, after_effect: bool) -> None:
        """Die before or after the effect of a call, counted from 1; stay dead until `revive`."""
        self._left, self._after_effect = call, after_effect

    def revive(self) -> bool:
        """Go on as a new process; whether there was a crash at all."""
        crashed, self._dead, self._left = self._dead, False, 0
        return crashed

    def lose_answer(self, *calls: int) -> None:
        """Answer these calls, counted from 1 on from now, with 503 although they took effect."""
        self._unavailable = {len(self.calls) + call for call in calls}

    async def further_calls(self, count: int) -> None:
        """Wait until that many more calls have been made."""
        enough = len(self.calls) + count
        async with asyncio.timeout(30), self._called:
            await self._called.wait_for(lambda: len(self.calls) >= enough)

    async def send(self, request: Any, **options: Any) -> Any:
        if self._dead:
            raise Crash
        if self.cut:
            raise ServiceRequestError("no route")
        async with self._called:
            self.calls.append(request.method)
            self._called.notify_all()
        self._left -= 1
        crashes = self._left == 0
        if crashes and not self._after_effect:
            self._dead = True
            raise Crash
        answer = await super().send(request, **options)
        if crashes:
            self._dead = True
            raise Crash
        if len(self.calls) in self._unavailable:
            answer.status_code = 503
        return answer


def tables(connection_string: str, network: Network | None = None) -> TableServiceClient:
    """A client whose retries do not wait."""
    options: dict[str, Any] = {} if network is None else {"transport": network}
    return TableServiceClient.from_connection_string(
        connection_string, retry_backoff_factor=0, retry_total=3, **options
    )
