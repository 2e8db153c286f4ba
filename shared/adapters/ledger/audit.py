"""What is only ever added: the history of each connection, and refused messages."""

import itertools
import secrets
from datetime import datetime
from typing import Any

from shared.adapters.ledger.columns import pack, stamp, unpack
from shared.adapters.ledger.table import Row, Table, key

DATA = "data"
REFUSED = "refused"


class History:
    """The audit history; rows are in the order of their time, then of their writing."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._count = itertools.count()

    async def record(self, connection: str, at: datetime, what: str, data: dict[str, Any]) -> None:
        # The random part tells processes apart that write in the same microsecond.
        row = f"{stamp(at)}_{next(self._count):010d}_{secrets.token_hex(4)}"
        # When a row of this key is there, this call wrote it and its answer was lost.
        await self._table.insert(key(connection), row, pack(DATA, {**data, "at": at, "what": what}))

    async def history(self, connection: str) -> list[dict[str, Any]]:
        rows = self._table.query("PartitionKey eq @name", {"name": key(connection)})
        return [_data(row) async for row in rows]


class Refusals:
    """Messages that were refused; the first record of each stays."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def refuse(self, message_id: str, at: datetime, data: dict[str, Any]) -> None:
        row = {**data, "at": at, "message_id": message_id}
        await self._table.insert(REFUSED, key(message_id), pack(DATA, row))

    async def refusals(self) -> list[dict[str, Any]]:
        rows = self._table.query("PartitionKey eq @part", {"part": REFUSED})
        return sorted([_data(row) async for row in rows], key=lambda row: str(row["at"]))


def _data(row: Row) -> dict[str, Any]:
    return unpack(row.columns, DATA, dict[str, Any])
