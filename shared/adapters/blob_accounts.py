"""Snapshots of what was discovered in Blob storage.

Blobs of a connection: ``tables/...`` (rows, written once), ``stage/<operation>/...`` (what a run
has read so far), ``runs/<inverted start>-<operation>.json`` (a summary; names sort newest first)
and ``published.json``: the tables that readers get, and with them the cookies from which the next
run goes on. It is written last, so a crash leaves the snapshot before, with its cookies.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec.structs import replace

from shared.adapters.blob_container import require_container
from shared.adapters.blob_history import forget_runs
from shared.adapters.blob_lines import storage_errors
from shared.adapters.blob_publish import Publication
from shared.adapters.blob_rows import SnapshotRows, changes_of
from shared.adapters.blob_runs import newest_runs, read, replace_document, run_name, write
from shared.adapters.blob_snapshot import Place
from shared.adapters.blob_staging import PROGRESS, BlobStaging, Staged, staged_in
from shared.adapters.blob_waste import HEAD, clear, delete, drop_orphans, staged_files
from shared.adapters.tables_read import Tables
from shared.model.accounts import Account, Summary
from shared.model.entities import Change, Entity, Link, Row
from shared.model.scan import Held, Losses, Progress, Removals
from shared.planning.counting import together
from shared.planning.snapshots import (
    Position,
    Published,
    as_seen,
    decided,
    is_repeated,
    visible_since,
)

if TYPE_CHECKING:
    from azure.storage.blob.aio import ContainerClient


class BlobAccounts:
    """Implements ``ports.AccountStore``."""

    def __init__(self, container: "ContainerClient") -> None:
        self._container, self._tables = container, Tables(container)

    async def check(self) -> None:
        """Look at the container; raises `NeedsHuman` STORAGE_MISSING where there is none."""
        await require_container(self._container)

    async def progress(self, connection: str, operation: str) -> Progress | None:
        with storage_errors("reading how far a discovery is"):
            staged, _ = await self._staged(connection, operation)
        return staged.progress if staged else None

    async def staging(self, connection: str, operation: str) -> BlobStaging:
        with storage_errors("reading how far a discovery is"):
            staged, tag = await self._staged(connection, operation)
        return BlobStaging(self._container, _folder(connection, operation), staged, tag)

    async def losses(self, connection: str, operation: str) -> Losses:
        with storage_errors("comparing what was discovered"):
            known, _ = await self._published(connection)
            staged, _ = await self._staged(connection, operation)
            place = Place(self._container, self._tables, connection, operation, dry=True)
            making = Publication(place, known)
            await making.take(_checked(staged, operation), "apply")
        return making.losses

    async def publish(self, summary: Summary, *, removals: Removals) -> Summary:
        """Safe to repeat: an operation makes one snapshot, whatever it finds the second time."""
        connection, operation = summary.connection, summary.operation
        with storage_errors("storing what was discovered"):
            known, tag = await self._published(connection)
            if known is not None and is_repeated(known, summary):
                await self._clean_up(known)
                return known.summary
            staged, _ = await self._staged(connection, operation)
            place = Place(self._container, self._tables, connection, operation)
            making = Publication(place, known)
            await making.take(_checked(staged, operation), removals)
            fresh = await making.published(summary)
            if known is not None and known.summary.operation == operation:
                fresh = replace(fresh, summary=together(known.summary, fresh.summary))
            await self._publish(known, fresh, tag)
            await clear(self._container, making.waste)
            await self._clean_up(fresh)
        return fresh.summary

    async def discard(self, connection: str, operation: str) -> None:
        with storage_errors("removing what a discovery staged"):
            folder = _folder(connection, operation)
            # First, so that nobody goes on from tables that are no more.
            await delete(self._container, [f"{folder}{PROGRESS}"])
            await clear(self._container, await staged_files(self._container, folder))

    async def held(self, connection: str) -> Held | None:
        with storage_errors("reading the removals that wait"):
            known, _ = await self._published(connection)
        return known.held if known else None

    async def held_rows(self, connection: str) -> AsyncIterator[Row]:
        with storage_errors("reading the removals that wait"):
            known, _ = await self._published(connection)
            if known is not None:
                async for row in SnapshotRows(self._tables, known).held():
                    yield row

    async def release(self, connection: str, *, approve: bool, now: datetime) -> Summary | None:
        with storage_errors("deciding on the removals that wait"):
            known, tag = await self._published(connection)
            if known is None or known.held is None:
                return None
            latest = decided(known.summary, now)
            operation = f"{latest.operation}-released"
            making = Publication(Place(self._container, self._tables, connection, operation), known)
            await making.release(approve=approve)
            fresh = await making.published(latest)
            await self._publish(known, fresh, tag)
            await clear(self._container, making.waste)
            await self.discard(connection, operation)
            await drop_orphans(self._container, connection, fresh)
        return fresh.summary

    async def note(self, summary: Summary) -> None:
        with storage_errors("storing the summary of a discovery"):
            await write(self._container, run_name(summary), summary)
            await forget_runs(self._container, summary.connection)

    async def summaries(self, connection: str) -> list[Summary]:
        with storage_errors("reading the summaries of discovery"):
            known, _ = await self._published(connection)
            newest = await newest_runs(self._container, connection)
            found = await asyncio.gather(*(read(self._container, name, Summary) for name in newest))
        latest = known.summary if known else None
        return [as_seen(summary, latest) for summary, _ in found if summary is not None]

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
        return await read(self._container, _head(connection), Published)

    async def _staged(self, connection: str, operation: str) -> tuple[Staged | None, str]:
        return await staged_in(self._container, _folder(connection, operation))

    async def _publish(self, known: Published | None, fresh: Published, tag: str) -> None:
        """Make the snapshot visible, unless another one became visible meanwhile."""
        await write(self._container, run_name(fresh.summary), fresh.summary)
        if known is not None:
            # Before their names are forgotten: a crash in between leaves no orphans.
            await clear(self._container, known.expired(visible_since(fresh.summary)))
        await replace_document(
            self._container,
            _head(fresh.summary.connection),
            fresh,
            tag,
            "Another discovery of this connection finished at the same time.",
        )

    async def _clean_up(self, fresh: Published) -> None:
        """What nobody needs any more; what a crash leaves here, the next run removes."""
        done = fresh.summary
        if done.finished is not None:
            await self.discard(done.connection, done.operation)
        await drop_orphans(self._container, done.connection, fresh)


def _checked(staged: Staged | None, operation: str) -> Staged:
    if staged is None:
        raise ValueError(f"nothing of {operation} has been checkpointed")
    return staged


def _head(connection: str) -> str:
    return f"{connection}/{HEAD}"


def _folder(connection: str, operation: str) -> str:
    return f"{connection}/stage/{operation}/"
