"""Operations: one in flight for a connection.

The connection's row decides which one, in a single conditional write that carries the whole
operation. The operation's own row is made from it afterwards; whoever misses it, because the
process died in between, reads the connection's row instead.
"""

import asyncio
from typing import Any

from shared.adapters.ledger.columns import pack, unpack, unpack_or
from shared.adapters.ledger.connections import OPERATION, PARTS, ROW
from shared.adapters.ledger.table import Table, key
from shared.errors import TryLater
from shared.model.connection import Offboarding, Operation

FLIGHT = "flight"
"""Column of the connection's row: the operation as it was begun."""

LEAVING = "offboarding"
"""Column of the connection's row: how far its end is, if it has begun."""

ATTEMPTS = 20
"""At a conditional write; each failure means that somebody else wrote to the row."""

RUNNING = "running"


class Operations:
    """The part of ``ports.Ledger`` about operations."""

    def __init__(self, connections: Table, operations: Table) -> None:
        self._connections = connections
        self._operations = operations

    async def begin(
        self, operation: Operation, *, instead_of: str = "", leaving: Offboarding | None = None
    ) -> bool:
        name = key(operation.connection)
        for _ in range(ATTEMPTS):
            row = await self._connections.get(name, ROW)
            if row is None:
                raise LookupError(f"no connection {operation.connection}")
            present = row.columns.get(OPERATION, "")
            if present == operation.id:
                await self._complete(row.columns)
                return True
            same, other = await asyncio.gather(
                self._read(operation.connection, operation.id),
                self._in_flight(operation.connection, row.columns),
            )
            if same is not None and same.state != RUNNING:
                return True  # begun long ago and over: nothing is to be run again
            if other and present != instead_of:
                return False
            claim = {OPERATION: operation.id, **pack(FLIGHT, operation)}
            if leaving and unpack_or(row.columns, LEAVING, PARTS[LEAVING], None) is None:
                claim |= pack(LEAVING, leaving)
            if await self._connections.merge(name, ROW, claim, tag=row.tag) is not None:
                await self._complete(claim)
                return True
        raise TryLater("BUSY", f"too many writers to {operation.connection} at once")

    async def operation(self, connection: str, operation: str) -> Operation | None:
        found = await self._read(connection, operation)
        if found is not None:
            return found
        row = await self._connections.get(key(connection), ROW)
        if row is None or row.columns.get(OPERATION) != operation or FLIGHT not in row.columns:
            return None
        return unpack(row.columns, FLIGHT, Operation)

    async def operations(self, connection: str) -> list[Operation]:
        """By the time of their start."""
        rows = self._operations.query("PartitionKey eq @name", {"name": key(connection)})
        found = [unpack(row.columns, "operation", Operation) async for row in rows]
        return sorted(found, key=lambda operation: (operation.started, operation.id))

    async def advance(self, operation: Operation, *, known: Operation) -> bool:
        place = key(operation.connection), key(operation.id)
        columns = pack("operation", operation)
        for _ in range(ATTEMPTS):
            row = await self._operations.get(*place)
            if row is None:
                # Whoever began it died before it made the row.
                if await self._operations.insert(*place, columns) is not None:
                    return True
                continue
            present = unpack(row.columns, "operation", Operation)
            if (present.state, present.step) != (known.state, known.step):
                return False
            if await self._operations.exchange(*place, columns, tag=row.tag):
                return True
        raise TryLater("BUSY", f"too many writers to operation {operation.id} at once")

    async def forget(self, operation: Operation) -> None:
        await self._operations.delete(key(operation.connection), key(operation.id))

    async def _read(self, connection: str, operation: str) -> Operation | None:
        row = await self._operations.get(key(connection), key(operation))
        return None if row is None else unpack(row.columns, "operation", Operation)

    async def _in_flight(self, connection: str, columns: dict[str, Any]) -> bool:
        present = columns.get(OPERATION, "")
        if not present:
            return False
        found = await self._read(connection, present)
        if found is None:
            return await self._complete(columns)
        return found.state == RUNNING

    async def _complete(self, columns: dict[str, Any]) -> bool:
        """Make the own row of the operation that the connection's row names, if it is missing."""
        if FLIGHT not in columns:
            return False
        begun = unpack(columns, FLIGHT, Operation)
        await self._operations.insert(
            key(begun.connection), key(begun.id), pack("operation", begun)
        )
        return True
