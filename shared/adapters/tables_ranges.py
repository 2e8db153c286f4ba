"""Takes rows of several tables together, a range of keys at a time."""

import asyncio
from bisect import bisect_left
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from typing import Protocol

from shared.adapters.tables import Block, Segment

CHUNK = 4 << 20
"""Bytes of blocks that a cursor holds: what is read ahead with one request."""

FIRST_CHUNK = 1 << 17
"""What somebody is sent first, who may want no more than a page."""

MEMORY = 12 << 20
"""Bytes of blocks that all cursors of a merge hold together."""

RANGE = 20_000
"""Rows that are merged at once."""

PAGE = 500
"""Rows that are read at once."""


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
