"""Reads the rows of a published snapshot, and the changes that led to it."""

from collections.abc import AsyncIterator, Iterable, Sequence

import msgspec

from shared.adapters.blob_place import TARGETS
from shared.adapters.tables_cursor import Span
from shared.adapters.tables_ranges import CHUNK, FIRST_CHUNK, Rows, reading
from shared.adapters.tables_read import Tables, of_id, starting
from shared.adapters.tables_rows import PARTS, decoding, latest
from shared.model.entities import Change, Link, Row
from shared.planning.counting import changed
from shared.planning.merging import joined, key_of_link
from shared.planning.snapshots import Made, Position, Published, Table


class SnapshotRows:
    """Rows of one published snapshot; its tables stay for a day after it is replaced."""

    def __init__(self, tables: Tables, published: Published) -> None:
        self._tables, self._published = tables, published
        self._unread = frozenset(published.unread)

    async def all(self, part: str, after: str = "") -> AsyncIterator[Row]:
        """By key, from behind the id *after* on."""
        start = key_of_link(after) if part == "links" and after else after
        tables = self._published.stack(part).tables
        cursors = [await self._tables.all(table, start) for table in tables]
        async for _, row in self._joined(part, cursors):
            yield row

    async def one(self, part: str, id_: str) -> Row | None:
        async for key, row in self._within(part, [of_id(id_)]):
            if key == id_:
                return row
        return None

    async def links_of(self, kind: str, source: str) -> AsyncIterator[Link]:
        prefix = f"{source}/{kind}/"
        async for key, row in self._within("links", [starting(prefix)]):
            if key.startswith(prefix) and isinstance(row, Link):
                yield row

    async def links_to(self, target: str) -> AsyncIterator[Link]:
        prefix = f"{target}\t"
        tables = self._published.stack(TARGETS).tables
        cursors = [await self._tables.holding(table, [starting(prefix)]) for table in tables]
        async for taken in reading(cursors):
            links = [
                key.partition("\t")[2] for key in sorted(latest(taken)) if key.startswith(prefix)
            ]
            wanted = set(links)
            async for key, row in self._within("links", map(of_id, links)):
                if key in wanted and isinstance(row, Link):
                    yield row

    async def held(self) -> AsyncIterator[Row]:
        """The rows that wait for a person's word."""
        for part in PARTS:
            table = self._published.parked.get(part)
            if table is None:
                continue
            async for taken in reading([await self._tables.all(table)]):
                ids = sorted({key.partition("\t")[0] for key in latest(taken, tombstones=True)})
                wanted = set(ids)
                async for key, row in self._within(part, map(of_id, ids)):
                    if key in wanted:
                        yield row

    async def _within(self, part: str, spans: Iterable[Span]) -> AsyncIterator[tuple[str, Row]]:
        wanted = list(spans)
        tables = self._published.stack(part).tables
        cursors = [await self._tables.holding(table, wanted) for table in tables]
        async for found in self._joined(part, cursors):
            yield found

    async def _joined(self, part: str, cursors: Sequence[Rows]) -> AsyncIterator[tuple[str, Row]]:
        decode = decoding(part)
        async for taken in reading(cursors):
            lines = latest(taken)
            said: dict[str, Row] = {}
            last = ""
            for key in sorted(lines) if len(taken) > 1 else lines:
                id_, _, by = key.partition("\t")
                if id_ != last and said:
                    row = joined(said, self._unread)
                    if row is not None:
                        yield last, row
                    said = {}
                said[by], last = decode(lines[key]), id_
            row = joined(said, self._unread)
            if row is not None:
                yield last, row


async def changes_of(
    tables: Tables, made: Made, after: Position
) -> AsyncIterator[tuple[Position, Change]]:
    """Those behind *after*; what is in front of it is not read."""
    start = after.row if after.number == made.number else 0
    decoder = msgspec.json.Decoder(Change)
    if made.file and start < made.file.rows:
        async for number, _, row in _numbered(tables, made.file, start):
            yield Position(number=made.number, row=number), decoder.decode(row)
    passed = made.file.rows if made.file else 0
    for part, table in made.whole:
        if start < passed + table.rows:
            async for number, change in _inserted(
                tables, made, part, table, max(start - passed, 0)
            ):
                yield Position(number=made.number, row=passed + number), change
        passed += table.rows


async def _inserted(
    tables: Tables, made: Made, part: str, table: Table, start: int
) -> AsyncIterator[tuple[int, Change]]:
    """Each row of the table as a new one; its number is that of the last one who vouches."""
    decode = decoding(part)
    said: dict[str, Row] = {}
    last, at = "", start
    async for number, key, row in _numbered(tables, table, start):
        id_, _, by = key.partition("\t")
        if id_ != last and said:
            change = changed(None, joined(said, made.unread))
            if change is not None:
                yield at, change
            said = {}
        said[by], last, at = decode(row), id_, number
    change = changed(None, joined(said, made.unread))
    if change is not None:
        yield at, change


async def _numbered(
    tables: Tables, table: Table, start: int
) -> AsyncIterator[tuple[int, str, bytes]]:
    """Rows behind the *start* first ones, counted from one."""
    cursor, number = await tables.behind_rows(table, start)
    cursor.hold(FIRST_CHUNK, CHUNK)
    async for segment in cursor.segments():
        for key, row in zip(segment.keys, segment.rows, strict=True):
            number += 1
            if number > start:
                yield number, key, row
