"""Rows of connections: one each, with a column for each thing that is written by itself.

Writes merge single columns, so writers of different columns never undo one another.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from shared.adapters.ledger.columns import pack, unpack
from shared.adapters.ledger.table import Table, key
from shared.errors import TryLater
from shared.model.connection import Aspect, Condition, Connection, Spec

ROW = "connection"
OPERATION = "operation"

ATTEMPTS = 20
"""At a conditional write; each failure means that somebody else wrote to the row."""

PARTS: dict[str, Any] = {
    field.name: field.type
    for field in msgspec.structs.fields(Connection)
    if field.name not in (OPERATION, "conditions")
}
"""Columns that hold one field of a connection each: a row of an older version lacks the newest."""


class Connections:
    """The part of ``ports.Ledger`` about connections."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def create(self, connection: Connection) -> bool:
        made = await self._table.insert(key(connection.spec.name), ROW, _columns(connection))
        return made is not None

    async def renew(self, connection: Connection) -> bool:
        name = key(connection.spec.name)
        row = await self._table.get(name, ROW)
        if row is None:
            return False
        ended = _connection(row.columns).offboarding
        if ended is None or ended.finished is None:
            return False
        return await self._table.exchange(name, ROW, _columns(connection), tag=row.tag)

    async def connection(self, name: str) -> Connection | None:
        found = await self._table.get(key(name), ROW)
        return None if found is None else _connection(found.columns)

    async def connections(self) -> list[Connection]:
        """By name."""
        found = self._table.query("RowKey eq @row", {"row": ROW})
        rows = [_connection(row.columns) async for row in found]
        return sorted(rows, key=lambda row: row.spec.name)

    async def amend(self, name: str, **parts: Any) -> None:
        await self._set(name, _parts(parts))

    async def exchange(self, name: str, known: Spec, **parts: Any) -> bool:
        def is_known(row: dict[str, Any]) -> bool:
            return unpack(row, "spec", Spec) == known

        return bool(await self._merge_if(name, _parts(parts), is_known))

    async def set_condition(self, name: str, condition: Condition) -> None:
        await self._set(name, pack(_column(condition.type), condition))

    async def conclude(self, name: str, condition: Condition, *, known: Condition | None) -> bool:
        column = _column(condition.type)

        def is_known(row: dict[str, Any]) -> bool:
            present = unpack(row, column, Condition) if column in row else None
            return present in (known, condition)

        done = await self._merge_if(name, pack(column, condition), is_known)
        if done is None:
            raise LookupError(f"no connection {name}")
        return done

    async def _merge_if(
        self, name: str, columns: dict[str, str], is_known: Callable[[dict[str, Any]], bool]
    ) -> bool | None:
        """Write while the row is as it is known to be; None when there is no such row."""
        for _ in range(ATTEMPTS):
            row = await self._table.get(key(name), ROW)
            if row is None:
                return None
            if not is_known(row.columns):
                return False
            if await self._table.merge(key(name), ROW, columns, tag=row.tag) is not None:
                return True
        raise TryLater("BUSY", f"too many writers to {name} at once")

    async def _set(self, name: str, columns: dict[str, str]) -> None:
        if await self._table.merge(key(name), ROW, columns) is None:
            raise LookupError(f"no connection {name}")


def _parts(parts: dict[str, Any]) -> dict[str, str]:
    columns: dict[str, str] = {}
    for part, value in parts.items():
        if part not in PARTS:
            raise TypeError(f"{part} is no part of a connection that can be replaced")
        columns |= pack(part, value)
    return columns


def _column(aspect: Aspect) -> str:
    return f"condition_{aspect}"


def _columns(connection: Connection) -> dict[str, Any]:
    columns: dict[str, Any] = {OPERATION: connection.operation}
    for part in PARTS:
        columns |= pack(part, getattr(connection, part))
    for condition in connection.conditions:
        columns |= pack(_column(condition.type), condition)
    return columns


def _connection(columns: dict[str, Any]) -> Connection:
    known = {part: unpack(columns, part, type_) for part, type_ in PARTS.items() if part in columns}
    return Connection(
        operation=columns.get(OPERATION, ""),
        conditions=tuple(
            unpack(columns, _column(aspect), Condition)
            for aspect in Aspect
            if _column(aspect) in columns
        ),
        **known,
    )
