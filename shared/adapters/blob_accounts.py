"""Snapshots of what was discovered in Blob storage.

Blobs of a connection: ``<operation>[.entities|.links|.changes].ndjson.gz`` (written once),
``runs/<inverted start>-<operation>.json`` (a summary; names sort newest first) and
``published.json``: which snapshot readers get, and with it the cookies from which the next run
goes on. It is written last, so a crash leaves the snapshot before, with its cookies.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from shared.adapters.blob_history import forget_runs
from shared.adapters.blob_lines import Packed, lines, storage_errors
from shared.adapters.blob_runs import newest_runs, read, run_name, write
from shared.errors import TryLater
from shared.model.accounts import Account, Summary
from shared.model.entities import Change, Entity, Link, Row
from shared.planning.changes import Patch, Section, Tally, exactly
from shared.planning.snapshots import Position, Published, as_seen, published

if TYPE_CHECKING:
    from azure.storage.blob.aio import ContainerClient

T = TypeVar("T")

SECTIONS: dict[str, tuple[str, type[Any]]] = {
    "accounts": ("", Account),
    "entities": (".entities", Entity),
    "links": (".links", Link),
}
"""Parts of a snapshot in the order in which a patch is applied; links depend on the others."""


@dataclass(frozen=True)
class _Writing:
    """A snapshot that is being made."""

    summary: Summary
    patch: Patch
    known: Published | None
    tally: Tally = field(default_factory=Tally)
    changes: Packed = field(default_factory=Packed)

    def take(self, row: Row | None, change: Change | None, kept: Packed) -> None:
        if row is not None:
            kept.add(row)
            self.tally.keep(row)
        if change is not None:
            self.changes.add(change)
            self.tally.differ(change)


class BlobAccounts:
    """Implements ``ports.AccountStore``."""

    def __init__(self, container: "ContainerClient") -> None:
        self._container = container

    async def save(self, summary: Summary, accounts: Sequence[Account]) -> Summary:
        return await self.apply(summary, exactly(accounts), {})

    async def apply(self, summary: Summary, patch: Patch, cookies: Mapping[str, str]) -> Summary:
        """Safe to repeat: an operation makes one snapshot, whatever it finds the second time."""
        with storage_errors("storing what was discovered"):
            known, tag = await self._published(summary.connection)
            if known is not None and known.summary.operation == summary.operation:
                return known.summary
            writing = _Writing(summary, patch, known)
            files = {name: await self._rewrite(name, writing) for name in SECTIONS}
            if writing.changes.rows:
                await writing.changes.upload(self._container, _file(summary, ".changes"))
            full = writing.tally.counted(summary, files["accounts"])
            await write(self._container, run_name(full), full)
            # Before their names are forgotten: a crash in between leaves no orphans.
            await self._delete(known.expired(full.finished or full.started) if known else ())
            await self._publish(published(known, full, files, cookies), tag)
        return full

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

    async def accounts(self, connection: str) -> AsyncIterator[Account]:
        async for row in self._rows(connection, "accounts"):
            yield row

    async def entities(self, connection: str) -> AsyncIterator[Entity]:
        async for row in self._rows(connection, "entities"):
            yield row

    async def links(self, connection: str) -> AsyncIterator[Link]:
        async for row in self._rows(connection, "links"):
            yield row

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
                row = 0
                async for change in lines(self._container, made.file, Change):
                    row += 1
                    place = Position(number=made.number, row=row)
                    if place.follows(after):
                        yield place, change

    async def _rows(self, connection: str, section: str) -> AsyncIterator[Any]:
        """The rows of the latest finished snapshot."""
        with storage_errors("reading what was discovered"):
            known, _ = await self._published(connection)
            if known is not None and known.files[section]:
                async for row in lines(self._container, known.files[section], SECTIONS[section][1]):
                    yield row

    async def _rewrite(self, name: str, writing: _Writing) -> str:
        """Write one part of the snapshot anew; one that the patch does not touch is kept."""
        ending, type_ = SECTIONS[name]
        rows = getattr(writing.patch, name)
        known = writing.known.files[name] if writing.known else ""
        if writing.known and not (rows or writing.patch.removes(writing.known.summary)):
            writing.tally.carry(writing.known.summary, name)
            return known
        section, packed = Section(writing.patch, rows), Packed()
        if known:
            async for before in lines(self._container, known, type_):
                writing.take(*section.see(before), packed)
        for row, change in section.rest():
            writing.take(row, change, packed)
        if not packed.rows and name != "accounts":
            return ""
        file = _file(writing.summary, ending)
        await packed.upload(self._container, file)
        return file

    async def _published(self, connection: str) -> tuple[Published | None, str]:
        return await read(self._container, _head(connection), Published)

    async def _publish(self, fresh: Published, tag: str) -> None:
        """Make the snapshot visible, unless another one became visible meanwhile."""
        from azure.core import MatchConditions
        from azure.core.exceptions import ResourceExistsError, ResourceModifiedError

        blob = self._container.get_blob_client(_head(fresh.summary.connection))
        body = msgspec.json.encode(fresh)
        try:
            if tag:
                unchanged = MatchConditions.IfNotModified
                await blob.upload_blob(body, overwrite=True, etag=tag, match_condition=unchanged)
            else:
                await blob.upload_blob(body)
        except (ResourceExistsError, ResourceModifiedError) as error:
            raise TryLater(
                "SNAPSHOT_CONFLICT",
                "Another discovery of this connection finished at the same time.",
                after=timedelta(seconds=5),
            ) from error

    async def _delete(self, files: Iterable[str]) -> None:
        from azure.core.exceptions import ResourceNotFoundError

        for file in files:
            with suppress(ResourceNotFoundError):
                await self._container.get_blob_client(file).delete_blob()


def _head(connection: str) -> str:
    return f"{connection}/published.json"


def _file(summary: Summary, ending: str) -> str:
    return f"{summary.connection}/{summary.operation}{ending}.ndjson.gz"
