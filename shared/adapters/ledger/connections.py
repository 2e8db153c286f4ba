"""Rows of connections: one each, with a column for each thing that is written by itself.

Writes merge single columns, so writers of different columns never undo one another.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from shared.adapters.ledger.columns import pack, unpack, unpack_or
from shared.adapters.ledger.table import Table, key
from shared.model.connection import (
    Approval,
    Aspect,
    Condition,
    Connection,
    Credential,
    Facts,
    Spec,
)

ROW = "connection"
OPERATION = "operation"


class Connections:
    """The part of ``ports.Ledger`` about connections."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def create(self, connection: Connection) -> bool:
        made = await self._table.insert(key(connection.spec.name), ROW, _columns(connection))
        return made is not None

    async def connection(self, name: str) -> Connection | None:
        found = await self._table.get(key(name), ROW)
        return None if found is None else _connection(found.columns)

    async def connections(self) -> list[Connection]:
        """By name."""
        found = self._table.query("RowKey eq @row", {"row": ROW})
        rows = [_connection(row.columns) async for row in found]
        return sorted(rows, key=lambda row: row.spec.name)

    async def learn(self, name: str, facts: Facts) -> None:
        await self._set(name, pack("facts", facts))

    async def set_condition(self, name: str, condition: Condition) -> None:
        await self._set(name, pack(_column(condition.type), condition))

    async def set_credential(self, name: str, credential: Credential) -> None:
        await self._set(name, pack("credential", credential))

    async def set_approval(self, connection: Connection) -> None:
        await self._set(connection.spec.name, pack("approval", connection.approval))

    async def set_access(self, name: str, granted: Sequence[str], roles: Sequence[str]) -> None:
        await self._set(name, {**pack("granted", granted), **pack("roles", roles)})

    async def _set(self, name: str, columns: dict[str, str]) -> None:
        if await self._table.merge(key(name), ROW, columns) is None:
            raise LookupError(f"no connection {name}")


def _column(aspect: Aspect) -> str:
    return f"condition_{aspect}"


def _columns(connection: Connection) -> dict[str, Any]:
    columns = {
        OPERATION: connection.operation,
        **pack("spec", connection.spec),
        **pack("created", connection.created),
        **pack("facts", connection.facts),
        **pack("approval", connection.approval),
        **pack("credential", connection.credential),
        **pack("granted", connection.granted),
        **pack("roles", connection.roles),
    }
    for condition in connection.conditions:
        columns.update(pack(_column(condition.type), condition))
    return columns


def _connection(columns: dict[str, Any]) -> Connection:
    names: type[tuple[str, ...]] = tuple[str, ...]
    return Connection(
        spec=unpack(columns, "spec", Spec),
        created=unpack(columns, "created", datetime),
        facts=unpack_or(columns, "facts", Facts, Facts()),
        approval=_optional(columns, "approval", Approval),
        conditions=tuple(
            unpack(columns, _column(aspect), Condition)
            for aspect in Aspect
            if _column(aspect) in columns
        ),
        credential=_optional(columns, "credential", Credential),
        operation=columns.get(OPERATION, ""),
        granted=unpack_or(columns, "granted", names, ()),
        roles=unpack_or(columns, "roles", names, ()),
    )


def _optional(columns: dict[str, Any], name: str, type_: Any) -> Any:
    return unpack_or(columns, name, type_ | None, None)
