"""The due index: a partition for each kind of work, its rows in the order of their time.

Beside the due rows a partition holds one row for each connection, which names its due row.
Both change in one transaction, so a connection never has two due rows, or one that is lost.
"""

import asyncio
from datetime import datetime

from shared.adapters.ledger.columns import pack, stamp, unpack
from shared.adapters.ledger.table import Change, Row, Table, key
from shared.errors import TryLater

KINDS = "=kinds"
"""Partition that lists the kinds of work; no kind's own partition has this name."""

ATTEMPTS = 20


class Due:
    """The part of ``ports.Ledger`` about what is due when."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._listed: set[str] = set()

    async def set_due(self, kind: str, connection: str, due: datetime | None) -> None:
        if due is not None:
            await self._list(kind)
        row = _of(connection)
        for attempt in range(ATTEMPTS):
            known = await self._table.get(key(kind), row)
            if due == (unpack(known.columns, "due", datetime) if known else None):
                return
            # Should somebody have deleted the old due row by hand, later attempts do without it.
            changes = _changes(row, known, connection, due, drop=attempt < ATTEMPTS // 2)
            if await self._table.transact(key(kind), changes):
                return
        raise TryLater("BUSY", f"too many writers to the due time of {connection} at once")

    async def due(self, kind: str, now: datetime, limit: int) -> list[str]:
        # ";" is the character after ":", which ends the time in a row key.
        late = self._table.query(
            "PartitionKey eq @kind and RowKey ge 'due:' and RowKey lt @end",
            {"kind": key(kind), "end": f"due:{stamp(now)};"},
            page=min(limit, 1000),
        )
        found: list[str] = []
        if limit < 1:
            return found
        async for row in late:
            found.append(unpack(row.columns, "connection", str))
            if len(found) == limit:
                break
        return found

    async def due_times(self, connection: str) -> dict[str, datetime]:
        listed = self._table.query("PartitionKey eq @kinds", {"kinds": KINDS})
        kinds = [unpack(row.columns, "kind", str) async for row in listed]
        rows = await asyncio.gather(
            *(self._table.get(key(kind), _of(connection)) for kind in kinds)
        )
        return {
            kind: unpack(row.columns, "due", datetime)
            for kind, row in zip(kinds, rows, strict=True)
            if row is not None
        }

    async def _list(self, kind: str) -> None:
        if kind not in self._listed:
            await self._table.insert(KINDS, key(kind), pack("kind", kind))
            self._listed.add(kind)


def _of(connection: str) -> str:
    return f"of:{key(connection)}"


def _due(connection: str, due: datetime) -> str:
    return f"due:{stamp(due)}:{key(connection)}"


def _changes(
    row: str, known: Row | None, connection: str, due: datetime | None, *, drop: bool
) -> list[tuple[str, Change]]:
    """What turns the known state into the wanted one, on condition that it is still so."""
    changes: list[tuple[str, Change]] = []
    if known is not None and drop:
        old = unpack(known.columns, "due", datetime)
        changes.append((_due(connection, old), Change("delete", {})))
    if due is not None:
        columns = {**pack("connection", connection), **pack("due", due)}
        changes.append((_due(connection, due), Change("upsert", columns)))
        how = Change("create", columns) if known is None else Change("update", columns, known.tag)
        changes.append((row, how))
    elif known is not None:
        changes.append((row, Change("delete", {}, known.tag)))
    return changes
