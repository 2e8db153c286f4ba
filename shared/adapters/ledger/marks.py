"""When something was last done, and what was found then: one row for each."""

from datetime import datetime
from typing import Any

from shared.adapters.ledger.columns import pack, unpack
from shared.adapters.ledger.table import Table, key

PART, DATA = "marks", "data"


class Marks:
    """The part of ``ports.Ledger`` by which apps tell that they are alive."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def mark(self, what: str, at: datetime, data: dict[str, Any]) -> None:
        columns = pack(DATA, {**data, "at": at, "what": what})
        if await self._table.merge(PART, key(what), columns) is None:
            # Nothing was there; should another instance write it first, that one's will do.
            await self._table.insert(PART, key(what), columns)

    async def marks(self) -> dict[str, dict[str, Any]]:
        rows = self._table.query("PartitionKey eq @part", {"part": PART})
        found = [unpack(row.columns, DATA, dict[str, Any]) async for row in rows]
        return {str(data["what"]): data for data in found}
