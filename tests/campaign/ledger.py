"""The ledger of a simulation: its leases live as long as who holds them."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

from shared.model.connection import Connection, Operation
from tests.campaign.chaos import LOCK, Chaos
from tests.campaign.loop import VirtualClock
from tests.campaign.processes import CURRENT, Process
from tests.fakes.ledger import FakeLedger, FakeTurn, Lease


class StormLedger(FakeLedger):
    """Leases are renewed while their holder lives, and lapse when it is dead or frozen."""

    def __init__(
        self, clock: VirtualClock, chaos: Chaos, loop: asyncio.AbstractEventLoop, spacing: timedelta
    ) -> None:
        super().__init__(clock, chaos, write_spacing=spacing)
        self.moved = asyncio.Event()  # a due time was set
        self._loop = loop
        self._holders: dict[str, Process | None] = {}
        self._lapse: dict[str, float] = {}  # leases that nobody renews any more, and until when

    def is_held(self, lease: Lease, now: datetime) -> bool:
        process = self._holders.get(lease.holder)
        if not lease.holder or process is None:
            return False
        now_here = self._loop.time()
        return process.keeps_locks(now_here, LOCK) and now_here < self._lapse.get(
            lease.holder, now_here + 1
        )

    async def _acquire(self, connection: str) -> Lease:
        lease = await super()._acquire(connection)
        self._holders[lease.holder] = CURRENT.get()
        return lease

    async def _release(self, connection: str, lease: Lease, turn: FakeTurn) -> None:
        self._lapse[lease.holder] = self._loop.time() + LOCK
        await super()._release(connection, lease, turn)

    async def set_due(self, kind: str, connection: str, due: datetime | None) -> None:
        try:
            await super().set_due(kind, connection, due)
        finally:
            self.moved.set()

    def soonest(self) -> dict[str, datetime]:
        """When the next of each kind of work is due."""
        return {kind: min(times.values()) for kind, times in self._due.items() if times}

    # What watchers look at; no call of the product, so nothing happens to it.

    def peek(self, name: str) -> Connection | None:
        return self._connections.get(name)

    def all_operations(self) -> list[Operation]:
        return list(self._operations.values())

    def one_operation(self, name: str, operation: str) -> Operation | None:
        return self._operations.get((name, operation))

    def rows(self, name: str) -> list[dict[str, Any]]:
        return self._history.get(name, [])

    def due_of(self, name: str) -> dict[str, datetime]:
        return {kind: times[name] for kind, times in self._due.items() if name in times}
