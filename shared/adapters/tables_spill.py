"""Brings any number of rows into order: what memory does not hold goes into sorted tables."""

from typing import TYPE_CHECKING

from shared.adapters.tables import Codec
from shared.adapters.tables_ranges import Listed, Rows
from shared.adapters.tables_read import Tables
from shared.adapters.tables_write import TableWriter, new_table
from shared.planning.snapshots import Table

if TYPE_CHECKING:
    from azure.storage.blob.aio import ContainerClient

BUFFER = 100_000
"""Rows that memory holds."""


class Spill:
    """Rows that come in any order; of two with the same key the later one counts."""

    def __init__(self, container: "ContainerClient", tables: Tables, folder: str) -> None:
        self.rows = 0
        self._container, self._tables, self._folder = container, tables, folder
        self._lines: dict[str, bytes] = {}
        self._spilt: list[Table] = []

    async def add(self, lines: dict[str, bytes]) -> None:
        self.rows += len(lines)
        self._lines.update(lines)
        if len(self._lines) >= BUFFER:
            await self._flush()

    async def sorted(self) -> list[Rows]:
        """All of them, oldest first."""
        spilt = [await self._tables.all(table) for table in self._spilt]
        return [*spilt, Listed(self._lines)] if self._lines else [*spilt]

    async def _flush(self) -> None:
        keys = sorted(self._lines)
        rows = list(map(self._lines.__getitem__, keys))
        self._lines = {}
        writer = TableWriter(self._container, new_table(self._folder, "sorted"), Codec())
        await writer.add(keys, rows)
        table = await writer.close()
        if table is not None:
            self._spilt.append(table)
