"""Goes through the blocks of a table, which are fetched a chunk at a time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from shared.adapters.tables import Block, Codec, Segment
from shared.adapters.tables_ranges import CHUNK

GAP = 1 << 15
"""Bytes that are fetched though nobody wants them, rather than ask twice."""

AT_ONCE = 8
"""Requests of one cursor at the same time, where its blocks are far from each other."""

Read = Callable[[int, int], Awaitable[bytes]]
"""Fetches the bytes of a table from one offset to another."""


class Cursor:
    """Goes through blocks of a table once; memory holds a chunk of them."""

    def __init__(self, read: Read, blocks: Sequence[Block], after: str = "") -> None:
        self.blocks = blocks
        self._chunk, self._most = CHUNK, CHUNK
        self._read, self._codec = read, Codec()
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
            segment = self._segment
            if self._at < len(segment.rows):
                end = len(segment.rows) if until is None else segment.find(until, self._at)
                if end > self._at:
                    found.append(segment.part(self._at, end))
                    self._at = end
                if end < len(segment.rows):
                    return found
            if not await self._unpack(until):
                return found

    async def segments(self) -> AsyncIterator[Segment]:
        """Block by block, also of a table that is not in order."""
        while await self._unpack(None):
            yield self._segment
            self._at = len(self._segment.rows)

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
            self._at = self._segment.find(self._after, 0)
            if self._at < len(self._segment.rows):
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
        for run, found in zip(runs, await asyncio.gather(*map(self._bytes, runs)), strict=True):
            view, start = memoryview(found), run[0].offset
            self._packed += [
                (block, view[block.offset - start : block.offset - start + block.length])
                for block in run
            ]

    async def _bytes(self, run: Sequence[Block]) -> bytes:
        return await self._read(run[0].offset, run[-1].offset + run[-1].length)
