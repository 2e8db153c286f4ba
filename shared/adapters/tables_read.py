"""Reads tables: all of one, or only the blocks that hold certain keys."""

import asyncio
from bisect import bisect_left, bisect_right
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from shared.adapters.tables import Block, Codec, Segment
from shared.planning.snapshots import Table

if TYPE_CHECKING:
    from azure.storage.blob.aio import ContainerClient

CHUNK = 4 << 20
"""Bytes of blocks that a cursor holds: what is read ahead with one request."""

FIRST_CHUNK = 1 << 17
"""What somebody is sent first, who may want no more than a page."""

GAP = 1 << 15
"""Bytes that are fetched though nobody wants them, rather than ask twice."""

AT_ONCE = 8
"""Requests of one cursor at the same time, where its blocks are far from each other."""

MEMORY = 12 << 20
"""Bytes of blocks that all cursors of a merge hold together."""

RANGE = 20_000
"""Rows that are merged at once."""

PAGE = 500
"""Rows that are read at once."""

KEPT = 32
"""Indexes, and small tables, that memory keeps: a table never changes."""

Span = tuple[str, str]
"""The first key that is looked for, and one behind the last."""


class Rows(Protocol):
    """Rows in order, taken a range at a time."""

    @property
    def blocks(self) -> Sequence[Block]:
        """Where they are; empty when memory holds them."""

    def hold(self, first: int, most: int) -> None:
        """Fetch so many bytes of blocks at once: at first, and later."""

    async def take(self, until: str | None) -> list[Segment]:
        """The rows that follow, up to the key *until*, which is not among them."""


class Listed:
    """Rows in memory."""

    blocks: Sequence[Block] = ()

    def __init__(self, lines: Mapping[str, bytes]) -> None:
        self.keys = sorted(lines)
        self._rows = list(map(lines.__getitem__, self.keys))
        self._at = 0

    def hold(self, first: int, most: int) -> None:
        """It holds them all."""

    async def take(self, until: str | None) -> list[Segment]:
        start = self._at
        self._at = len(self.keys) if until is None else bisect_left(self.keys, until, start)
        taken = Segment(self.keys[start : self._at], self._rows[start : self._at])
        return [taken] if taken.keys else []


class Without:
    """Rows but for those of some vouchers."""

    def __init__(self, rows: Rows, vouchers: Collection[str]) -> None:
        self.blocks = rows.blocks
        self._within, self._vouchers = rows, vouchers

    def hold(self, first: int, most: int) -> None:
        self._within.hold(first, most)

    async def take(self, until: str | None) -> list[Segment]:
        return [self._filtered(segment) for segment in await self._within.take(until)]

    def _filtered(self, segment: Segment) -> Segment:
        kept = [
            at
            for at, key in enumerate(segment.keys)
            if key.partition("\t")[2] not in self._vouchers
        ]
        return Segment([segment.keys[at] for at in kept], [segment.rows[at] for at in kept])


class Tables:
    """The tables of a container."""

    def __init__(self, container: "ContainerClient") -> None:
        self._container = container
        self._indexes: dict[str, list[Block]] = {}
        self._small: dict[str, bytes] = {}

    async def index(self, table: Table) -> list[Block]:
        if table.name not in self._indexes:
            packed = await self.read(table, table.index, table.size)
            _room(self._indexes)
            self._indexes[table.name] = Codec().unpack_index(packed)
        return self._indexes[table.name]

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
        blob = self._container.get_blob_client(table.name)
        stream = await blob.download_blob(start, end - start)
        found: bytes = await stream.readall()
        return found

    async def all(self, table: Table, after: str = "") -> "Cursor":
        """All rows, or those behind the id *after*."""
        blocks = await self.index(table)
        start = behind(after) if after else ""
        return Cursor(
            self, table, blocks[max(bisect_right(blocks, start, key=_first) - 1, 0) :], start
        )

    async def behind_rows(self, table: Table, rows: int) -> tuple["Cursor", int]:
        """From the block on in which the row behind so many is; and how many are before it."""
        blocks = await self.index(table)
        passed = 0
        for number, block in enumerate(blocks):
            if passed + block.rows > rows:
                return Cursor(self, table, blocks[number:]), passed
            passed += block.rows
        return Cursor(self, table, ()), passed

    async def holding(self, table: Table, spans: Iterable[Span]) -> "Cursor":
        """The blocks in which such keys are, or would be; *spans* are in order."""
        blocks = await self.index(table)
        wanted: dict[int, Block] = {}
        for low, high in spans:
            first = max(bisect_left(blocks, low, key=_first) - 1, 0)
            last = bisect_left(blocks, high, key=_first)
            wanted |= {number: blocks[number] for number in range(first, last)}
        return Cursor(self, table, list(wanted.values()))


def of_id(id_: str) -> Span:
    """The keys of one id, whoever vouches for it."""
    return f"{id_}\t", behind(id_)


def starting(with_: str) -> Span:
    return with_, f"{with_}\U0010ffff"


def behind(id_: str) -> str:
    """A key behind all of an id, in front of the next one's."""
    return f"{id_}\n"


class Cursor:
    """Goes through blocks of a table once; memory holds a chunk of them."""

    def __init__(
        self, tables: Tables, table: Table, blocks: Sequence[Block], after: str = ""
    ) -> None:
        self.blocks = blocks
        self._chunk, self._most = CHUNK, CHUNK
        self._tables, self._table, self._codec = tables, table, Codec()
        self._packed: list[tuple[Block, memoryview]] = []
        self._next = 0  # block to fetch
        self._segment, self._at = Segment([], []), 0
        self._after = after

    def hold(self, first: int, most: int) -> None:
        self._chunk, self._most = first, most

    async def take(self, until: str | None) -> list[Segment]:
        """The rows that follow, up to the key *until*, which is not among them."""
        found: list[Segment] = []
        while True:
            keys = self._segment.keys
            if self._at < len(keys):
                end = len(keys) if until is None else bisect_left(keys, until, self._at)
                if end > self._at:
                    found.append(Segment(keys[self._at : end], self._segment.rows[self._at : end]))
                    self._at = end
                if end < len(keys):
                    return found
            if not await self._unpack(until):
                return found

    async def segments(self) -> AsyncIterator[Segment]:
        """Block by block, also of a table that is not in order."""
        while await self._unpack(None):
            yield self._segment
            self._at = len(self._segment.keys)

    async def _unpack(self, until: str | None) -> bool:
        if not self._packed and (self._next == len(self.blocks) or self._is_behind(until)):
            return False
        if not self._packed:
            await self._fetch()
        block, packed = self._packed[0]
        if until is not None and block.first >= until:
            return False
        del self._packed[0]
        self._segment, self._at = self._codec.unpack(packed), 0
        if self._after:
            self._at = bisect_left(self._segment.keys, self._after)
            if self._at < len(self._segment.keys):
                self._after = ""
        return True

    def _is_behind(self, until: str | None) -> bool:
        return until is not None and self.blocks[self._next].first >= until

    async def _fetch(self) -> None:
        """A chunk in one request, or several where the blocks are far from each other."""
        runs: list[list[Block]] = []
        size = 0
        while self._next < len(self.blocks) and size < self._chunk:
            block = self.blocks[self._next]
            end = runs[-1][-1].offset + runs[-1][-1].length if runs else -GAP - 1
            if block.offset - end <= GAP:
                runs[-1].append(block)
            elif len(runs) < AT_ONCE:
                runs.append([block])
            else:
                break
            size += block.length
            self._next += 1
        self._chunk = min(self._chunk * 4, self._most)
        for run, found in zip(runs, await asyncio.gather(*map(self._read, runs)), strict=True):
            view, start = memoryview(found), run[0].offset
            self._packed += [
                (block, view[block.offset - start : block.offset - start + block.length])
                for block in run
            ]

    async def _read(self, run: Sequence[Block]) -> bytes:
        end = run[-1].offset + run[-1].length
        return await self._tables.read(self._table, run[0].offset, end)


async def merging(cursors: Sequence[Rows]) -> AsyncIterator[list[list[Segment]]]:
    """All rows, a range at a time; those of an id come together."""
    for cursor in cursors:
        share = max(MEMORY // len(cursors), FIRST_CHUNK)
        cursor.hold(share, share)
    async for taken in _ranges(cursors, RANGE):
        yield taken


async def reading(cursors: Sequence[Rows]) -> AsyncIterator[list[list[Segment]]]:
    """The same for somebody who may want no more than a page."""
    for cursor in cursors:
        cursor.hold(FIRST_CHUNK, CHUNK)
    async for taken in _ranges(cursors, PAGE):
        yield taken


async def _ranges(cursors: Sequence[Rows], rows: int) -> AsyncIterator[list[list[Segment]]]:
    for until in (*_marks(cursors, rows), None):
        taken = await asyncio.gather(*(cursor.take(until) for cursor in cursors))
        if any(taken):
            yield list(taken)


def _marks(cursors: Iterable[Rows], rows: int) -> list[str]:
    """Ids between which there are about so many rows."""
    marks: list[str] = []
    waiting = 0
    for first, count in sorted((b.first, b.rows) for c in cursors for b in c.blocks):
        id_ = first.partition("\t")[0]
        if waiting >= rows and (not marks or id_ > marks[-1]):
            marks.append(id_)
            waiting = 0
        waiting += count
    return marks


def _room(kept: dict[str, Any]) -> None:
    while len(kept) >= KEPT:
        del kept[next(iter(kept))]


def _first(block: Block) -> str:
    return block.first
