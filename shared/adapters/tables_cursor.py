"""Goes through the blocks of a table, which are fetched a chunk at a time."""

from collections import deque
from collections.abc import AsyncIterator, Sequence

from shared.adapters.tables import Block, Codec, Segment
from shared.adapters.tables_blocks import Blocks
from shared.adapters.tables_ranges import CHUNK

Span = tuple[str, str]
"""The first key that is looked for, and one behind the last."""


class Cursor:
    """Goes through blocks of a table once; memory holds a chunk of them.

    With *spans*, in order and apart from each other, its rows are those within them.
    """

    def __init__(self, table: Blocks, blocks: Sequence[Block], spans: Sequence[Span] = ()) -> None:
        self.blocks = blocks
        self._chunk, self._most = CHUNK, CHUNK
        self._table, self._codec = table, Codec()
        self._packed: deque[tuple[Block, bytes | memoryview]] = deque()
        self._next = 0  # block to fetch
        self._segment, self._at = Segment([], []), 0
        self._spans, self._passed = spans, 0

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
        self._packed.popleft()
        found = self._codec.unpack(packed)
        self._segment, self._at = self._within(found) if self._spans else found, 0
        return True

    def _is_behind(self, until: str | None) -> bool:
        return until is not None and self.blocks[self._next].first >= until

    async def _fetch(self) -> None:
        first, size = self._next, 0
        while self._next < len(self.blocks) and size < self._chunk:
            size += self.blocks[self._next].length
            self._next += 1
        self._chunk = min(self._chunk * 4, self._most)
        blocks = self.blocks[first : self._next]
        self._packed.extend(zip(blocks, await self._table.packed(blocks), strict=True))

    def _within(self, found: Segment) -> Segment:
        """What of the next block is in the spans, of which some are in blocks before it."""
        ranges: list[tuple[int, int]] = []
        start, end = 0, len(found.rows)
        while start < end and self._passed < len(self._spans):
            low, high = self._spans[self._passed]
            start = found.find(low, start)
            behind = found.find(high, start)
            if behind > start:
                ranges.append((start, behind))
            if behind == end:  # it may go on in the next block
                break
            start = behind
            self._passed += 1
        return found.parts(ranges)
