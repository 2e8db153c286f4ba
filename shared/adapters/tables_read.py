"""Reads tables: all of one, or only the blocks that hold certain keys."""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from shared.adapters.tables import Block, Codec
from shared.adapters.tables_cursor import Cursor
from shared.adapters.tables_ranges import FIRST_CHUNK
from shared.planning.snapshots import Table

if TYPE_CHECKING:
    from azure.storage.blob.aio import ContainerClient

KEPT = 32
"""Indexes, and small tables, that memory keeps: a table never changes."""

Span = tuple[str, str]
"""The first key that is looked for, and one behind the last."""


class Tables:
    """The tables of a container."""

    def __init__(self, container: "ContainerClient") -> None:
        self.container = container
        self._indexes: dict[str, list[Block]] = {}
        self._small: dict[str, bytes] = {}

    async def index(self, table: Table) -> list[Block]:
        if table.name not in self._indexes:
            packed = await self.read(table, table.index, table.size)
            _room(self._indexes)
            self._indexes[table.name] = Codec().unpack_index(packed)
        return self._indexes[table.name]

    def remember(self, table: Table, blocks: list[Block]) -> None:
        """The index of a table that was just written: it need not be fetched."""
        _room(self._indexes)
        self._indexes[table.name] = blocks

    async def read(self, table: Table, start: int, end: int) -> bytes:
        """A small table is fetched whole, once."""
        if table.size > FIRST_CHUNK:
            return await self._read(table, start, end)
        if table.name not in self._small:
            found = await self._read(table, 0, table.size)
            _room(self._small)
            self._small[table.name] = found
        return self._small[table.name][start:end]

    async def _read(self, table: Table, start: int, end: int) -> bytes:
        blob = self.container.get_blob_client(table.name)
        stream = await blob.download_blob(start, end - start)
        found: bytes = await stream.readall()
        return found

    async def all(self, table: Table, after: str = "") -> Cursor:
        """All rows, or those behind the id *after*."""
        blocks = await self.index(table)
        start = behind(after) if after else ""
        first = max(bisect_right(blocks, start, key=_first) - 1, 0)
        return self._cursor(table, blocks[first:], start)

    async def behind_rows(self, table: Table, rows: int) -> tuple[Cursor, int]:
        """From the block on in which the row behind so many is; and how many are before it."""
        blocks = await self.index(table)
        passed = 0
        for number, block in enumerate(blocks):
            if passed + block.rows > rows:
                return self._cursor(table, blocks[number:]), passed
            passed += block.rows
        return self._cursor(table, ()), passed

    async def holding(self, table: Table, spans: Iterable[Span]) -> Cursor:
        """The blocks in which such keys are, or would be; *spans* are in order."""
        blocks = await self.index(table)
        wanted: dict[int, Block] = {}
        for low, high in spans:
            first = max(bisect_left(blocks, low, key=_first) - 1, 0)
            last = bisect_left(blocks, high, key=_first)
            wanted |= {number: blocks[number] for number in range(first, last)}
        return self._cursor(table, list(wanted.values()))

    async def vouched(self, table: Table, vouchers: Collection[str]) -> Cursor:
        """The blocks in which rows may be that one of them vouches for."""
        blocks = await self.index(table)
        return self._cursor(table, [block for block in blocks if block.has(vouchers)])

    def _cursor(self, table: Table, blocks: Sequence[Block], start: str = "") -> Cursor:
        return Cursor(partial(self.read, table), blocks, start)


def of_id(id_: str) -> Span:
    """The keys of one id, whoever vouches for it."""
    return f"{id_}\t", behind(id_)


def starting(with_: str) -> Span:
    return with_, f"{with_}\U0010ffff"


def behind(id_: str) -> str:
    """A key behind all of an id, in front of the next one's."""
    return f"{id_}\n"


def _room(kept: dict[str, Any]) -> None:
    while len(kept) >= KEPT:
        del kept[next(iter(kept))]


def _first(block: Block) -> str:
    return block.first
