"""Fetches packed blocks of tables: those that are near each other together, and none twice soon.

A run of changes weighs what it would remove before it publishes, and asks for the same rows both
times. A table never changes, so that what was fetched of it stays true.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence

from shared.adapters.side_by_side import side_by_side
from shared.adapters.tables import Block

GAP = 1 << 15
"""Bytes that are fetched though nobody wants them, rather than ask twice."""

AT_ONCE = 8
"""Requests for one table at the same time, where its blocks are far from each other."""

KEPT = 16 << 20
"""Bytes of blocks that memory keeps: some eight hundred, the rows around a thousand changes."""

Read = Callable[[int, int], Awaitable[bytes]]
"""Fetches the bytes of a table from one offset to another."""


class Kept:
    """The blocks that were looked for last, whichever their table."""

    def __init__(self) -> None:
        self._blocks: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._size = 0

    def find(self, table: str, block: Block) -> bytes | None:
        place = table, block.offset
        found = self._blocks.get(place)
        if found is not None:
            self._blocks.move_to_end(place)
        return found

    def add(self, table: str, block: Block, packed: memoryview) -> None:
        """A copy of it: the view holds all that came in the same request."""
        if self.find(table, block) is not None:
            return
        self._blocks[table, block.offset] = bytes(packed)
        self._size += block.length
        while self._size > KEPT:
            _, oldest = self._blocks.popitem(last=False)
            self._size -= len(oldest)


class Blocks:
    """The blocks of one table; with *kept*, memory keeps what was fetched."""

    def __init__(self, table: str, read: Read, kept: Kept | None = None) -> None:
        self._table, self._read, self._kept = table, read, kept
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def packed(self, blocks: Sequence[Block]) -> list[bytes | memoryview]:
        """The bytes of each, in one request, or several where they are far from each other."""
        found: dict[int, bytes | memoryview] = {}
        if self._kept is not None:
            for block in blocks:
                if packed := self._kept.find(self._table, block):
                    found[block.offset] = packed
        runs: list[list[Block]] = []
        end = 0
        for block in blocks:
            if block.offset in found:
                continue
            if runs and block.offset - end <= GAP:
                runs[-1].append(block)
            else:
                runs.append([block])
            end = block.offset + block.length
        for fetched in await side_by_side(map(self._fetched, runs)):
            found |= fetched
        return [found[block.offset] for block in blocks]

    async def _fetched(self, run: Sequence[Block]) -> dict[int, memoryview]:
        start = run[0].offset
        async with self._turns:
            view = memoryview(await self._read(start, run[-1].offset + run[-1].length))
        found: dict[int, memoryview] = {}
        for block in run:
            at = block.offset - start
            found[block.offset] = view[at : at + block.length]
            if self._kept is not None:
                self._kept.add(self._table, block, found[block.offset])
        return found
