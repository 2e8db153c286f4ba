"""Reads the latest snapshot of a connection, and what has changed until then."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from shared.adapters.blob_lines import storage_errors
from shared.adapters.blob_rows import SnapshotRows, changes_of
from shared.adapters.blob_runs import read
from shared.adapters.blob_waste import HEAD
from shared.adapters.tables_read import Tables
from shared.model.accounts import Account
from shared.model.entities import Change, Entity, Link, Row
from shared.planning.snapshots import Latest, Position, Published

if TYPE_CHECKING:
    from azure.storage.blob.aio import ContainerClient


class BlobSnapshots:
    """The part of ``ports.AccountStore`` that reads what is published."""

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
            for made in known.since(after) if known else ():
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
