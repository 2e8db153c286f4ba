"""Reads tables: all of one, or only the blocks that hold certain keys."""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable
from functools import partial
from typing import TYPE_CHECKING

from shared.adapters.tables import Block, Codec
from shared.adapters.tables_blocks import Blocks, Kept
from shared.adapters.tables_cursor import Cursor, Span
from shared.adapters.tables_ranges import FIRST_CHUNK
from shared.planning.snapshots import Table

if TYPE_CHECKING:
    from azure.storage.blob.aio import ContainerClient

KEPT = 32
"""Indexes that memory keeps: a table never changes."""

WRITTEN = 1 << 20
"""Bytes of a table that memory keeps when it was just written, as it will be read soon."""

MEMORY = 4 << 20
"""Bytes of small tables that memory keeps."""

END = "\U0010ffff"
"""Behind every key."""


class Tables:
    """The tables of a container."""

    def __init__(self, container: "ContainerClient") -> None:
        self.container = container
        self._indexes: dict[str, list[Block]] = {}
        self._small: dict[str, bytes] = {}
        self._kept = Kept()

    async def index(self, table: Table) -> list[Block]:
        if table.name not in self._indexes:
            packed = await self.read(table, table.index, table.size)
            self._keep_index(table, Codec().unpack_index(packed))
        return self._indexes[table.name]

    def remember(self, table: Table, blocks: list[Block], whole: bytes) -> None:
        """A table that was just written: its index, and a small one itself, is not fetched."""
        self._keep_index(table, blocks)
        if 0 < len(whole) <= WRITTEN:
            self._keep(table, whole)

    async def read(self, table: Table, start: int, end: int) -> bytes:
        """A small table is fetched whole, once."""
        found = self._small.get(table.name)
        if found is None and table.size > FIRST_CHUNK:
            return await self._read(table, start, end)
        if found is None:
            found = await self._read(table, 0, table.size)
            self._keep(table, found)
        return found[start:end]

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
        spans = [(start, END)] if start else []
        return Cursor(self._blocks(table), blocks[first:], spans)

    async def behind_rows(self, table: Table, rows: int) -> tuple[Cursor, int]:
        """From the block on in which the row behind so many is; and how many are before it."""
        blocks = await self.index(table)
        passed = 0
        for number, block in enumerate(blocks):
            if passed + block.rows > rows:
                return Cursor(self._blocks(table), blocks[number:]), passed
            passed += block.rows
        return Cursor(self._blocks(table), ()), passed

    async def holding(self, table: Table, spans: Iterable[Span]) -> Cursor:
        """The rows that have such keys; *spans* are in order, and apart from each other."""
        blocks = await self.index(table)
        wanted: dict[int, Block] = {}
        looked_for = list(spans)
        for low, high in looked_for:
            first = max(bisect_left(blocks, low, key=_first) - 1, 0)
            last = bisect_left(blocks, high, key=_first)
            wanted |= {number: blocks[number] for number in range(first, last)}
        return Cursor(self._blocks(table, self._kept), list(wanted.values()), looked_for)

    async def vouched(self, table: Table, vouchers: Collection[str]) -> Cursor:
        """The blocks in which rows may be that one of them vouches for."""
        blocks = [block for block in await self.index(table) if block.has(vouchers)]
        return Cursor(self._blocks(table, self._kept), blocks)

    def _keep_index(self, table: Table, blocks: list[Block]) -> None:
        while len(self._indexes) >= KEPT:
            del self._indexes[next(iter(self._indexes))]
        self._indexes[table.name] = blocks

    def _keep(self, table: Table, whole: bytes) -> None:
        self._small[table.name] = whole
        while sum(map(len, self._small.values())) > MEMORY:
            del self._small[next(iter(self._small))]

    def _blocks(self, table: Table, kept: Kept | None = None) -> Blocks:
        return Blocks(table.name, partial(self.read, table), kept)


def of_id(id_: str) -> Span:
    """The keys of one id, whoever vouches for it."""
    return f"{id_}\t", behind(id_)


def starting(with_: str) -> Span:
    return with_, f"{with_}{END}"


def behind(id_: str) -> str:
    """A key behind all of an id, in front of the next one's."""
    return f"{id_}\n"


def _first(block: Block) -> str:
    return block.first
