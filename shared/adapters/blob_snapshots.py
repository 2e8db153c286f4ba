"""Reads the latest snapshot of a connection, what has changed until then, and the runs."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

from shared.adapters.blob_lines import storage_errors
from shared.adapters.blob_rows import SnapshotRows, changes_of
from shared.adapters.blob_runs import RECENT, newest_runs, read, run_names
from shared.adapters.blob_waste import HEAD
from shared.adapters.tables_read import Tables
from shared.model.accounts import Account, Summary
from shared.model.entities import Change, Entity, Link, Row
from shared.planning.snapshots import Latest, Position, Published, as_seen, is_before

if TYPE_CHECKING:
    from azure.storage.blob.aio import ContainerClient


class BlobSnapshots:
    """The part of ``ports.AccountStore`` that reads what runs have found."""

    def __init__(self, container: "ContainerClient") -> None:
        self._container, self._tables = container, Tables(container)

    async def accounts(self, connection: str, after: str = "") -> AsyncIterator[Account]:
        async for row in self._rows(connection, "accounts", after):
            if isinstance(row, Account):
                yield row

    async def account(self, connection: str, id_: str) -> Account | None:
        row = await self._row(connection, "accounts", id_)
        return row if isinstance(row, Account) else None

    async def entities(self, connection: str, after: str = "") -> AsyncIterator[Entity]:
        async for row in self._rows(connection, "entities", after):
            if isinstance(row, Entity):
                yield row

    async def entity(self, connection: str, id_: str) -> Entity | None:
        row = await self._row(connection, "entities", id_)
        return row if isinstance(row, Entity) else None

    async def links(self, connection: str, after: str = "") -> AsyncIterator[Link]:
        async for row in self._rows(connection, "links", after):
            if isinstance(row, Link):
                yield row

    async def links_of(self, connection: str, kind: str, source: str) -> AsyncIterator[Link]:
        with storage_errors("reading what was discovered"):
            known, _ = await self._published(connection)
            if known is not None:
                async for link in SnapshotRows(self._tables, known).links_of(kind, source):
                    yield link

    async def links_to(self, connection: str, target: str) -> AsyncIterator[Link]:
        with storage_errors("reading what was discovered"):
            known, _ = await self._published(connection)
            if known is not None:
                async for link in SnapshotRows(self._tables, known).links_to(target):
                    yield link

    async def cookies(self, connection: str) -> dict[str, str]:
        with storage_errors("reading the cookies of discovery"):
            known, _ = await self._published(connection)
        return known.cookies if known else {}

    async def latest(self, connection: str) -> Latest | None:
        with storage_errors("reading which snapshot is the latest"):
            known, _ = await self._published(connection)
        return Latest(summary=known.summary, position=known.position) if known else None

    async def position(self, connection: str) -> Position:
        with storage_errors("reading where the changes end"):
            known, _ = await self._published(connection)
        return known.position if known else Position()

    async def changes(
        self, connection: str, after: Position
    ) -> AsyncIterator[tuple[Position, Change]]:
        with storage_errors("reading what has changed"):
            known, _ = await self._published(connection)
            if known is not None:
                async for found in self._since(known, after):
                    yield found

    async def made_by(
        self, connection: str, operation: str
    ) -> AsyncIterator[tuple[Position, Change]]:
        with storage_errors("reading what has changed"):
            known, _ = await self._published(connection)
            if known is not None and known.summary.operation == operation:
                async for found in self._since(known, Position(number=known.number - 1)):
                    yield found

    async def summaries(self, connection: str) -> list[Summary]:
        with storage_errors("reading the summaries of discovery"):
            (known, _), newest = await asyncio.gather(
                self._published(connection), newest_runs(self._container, connection)
            )
            return await self._seen(newest, known.summary if known else None)

    async def recent(self, connection: str, operation: str) -> list[Summary]:
        found: list[Summary] = []
        with storage_errors("reading the summaries of discovery"):
            listed = run_names(self._container, connection, RECENT)
            (known, _), names = await asyncio.gather(self._published(connection), anext(listed, []))
            latest = known.summary if known else None
            while names:
                found += await self._seen(names, latest)
                if latest is None or any(is_before(run, operation) for run in found):
                    return found
                names = await anext(listed, [])
        if latest is not None and latest.operation != operation:
            found.append(latest)  # more runs have failed since than summaries are kept
        return found

    async def _seen(self, names: Sequence[str], latest: Summary | None) -> list[Summary]:
        found = await asyncio.gather(*(read(self._container, name, Summary) for name in names))
        return [as_seen(summary, latest) for summary, _ in found if summary is not None]

    async def _since(
        self, known: Published, after: Position
    ) -> AsyncIterator[tuple[Position, Change]]:
        for made in known.since(after):
            async for place, change in changes_of(self._tables, made, after):
                if place.follows(after):
                    yield place, change

    async def _rows(self, connection: str, part: str, after: str) -> AsyncIterator[Row]:
        """The rows of the latest finished snapshot."""
        with storage_errors("reading what was discovered"):
            known, _ = await self._published(connection)
            if known is not None:
                async for row in SnapshotRows(self._tables, known).all(part, after):
                    yield row

    async def _row(self, connection: str, part: str, id_: str) -> Row | None:
        with storage_errors("reading what was discovered"):
            known, _ = await self._published(connection)
            return await SnapshotRows(self._tables, known).one(part, id_) if known else None

    async def _published(self, connection: str) -> tuple[Published | None, str]:
        return await read(self._container, head(connection), Published)


def head(connection: str) -> str:
    """The blob that names what readers get."""
    return f"{connection}/{HEAD}"
