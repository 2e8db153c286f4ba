"""Snapshots of what was discovered in Blob storage.

Blobs of a connection: ``tables/...`` (rows, written once), ``stage/<operation>/...`` (what a run
has read so far), ``runs/<inverted start>-<operation>.json`` (a summary; names sort newest first)
and ``published.json``: the tables that readers get, and with them the cookies from which the next
run goes on. It is written last, so a crash leaves the snapshot before, with its cookies.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime

from msgspec.structs import replace

from shared.adapters.blob_container import require_container
from shared.adapters.blob_history import forget_runs
from shared.adapters.blob_lines import storage_errors
from shared.adapters.blob_place import Place
from shared.adapters.blob_publish import Publication
from shared.adapters.blob_rows import SnapshotRows
from shared.adapters.blob_runs import replace_document, run_name, write
from shared.adapters.blob_snapshots import BlobSnapshots, head
from shared.adapters.blob_staged import Staged, staged_in
from shared.adapters.blob_staging import BlobStaging
from shared.adapters.blob_waste import clear, clear_staged, due, sweep
from shared.model.accounts import Summary
from shared.model.entities import Row
from shared.model.scan import Held, Losses, Progress, Removals
from shared.planning.counting import together
from shared.planning.snapshots import Published, decided, is_repeated, visible_since


class BlobAccounts(BlobSnapshots):
    """Implements ``ports.AccountStore``."""

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
        return BlobStaging(self._tables, _folder(connection, operation), staged, tag)

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
            (known, tag), (staged, _) = await asyncio.gather(
                self._published(connection), self._staged(connection, operation)
            )
            if known is not None and is_repeated(known, summary):
                await self._clean_up(known, operation)
                return known.summary
            place = Place(self._container, self._tables, connection, operation)
            making = Publication(place, known)
            await making.take(_checked(staged, operation), removals)
            fresh = await making.published(summary)
            if known is not None and known.summary.operation == operation:
                fresh = replace(fresh, summary=together(known.summary, fresh.summary))
            fresh = await self._publish(known, fresh, tag)
            await clear(self._container, making.waste)
            await self._clean_up(fresh, operation)
        return fresh.summary

    async def discard(self, connection: str, operation: str) -> None:
        with storage_errors("removing what a discovery staged"):
            known, _ = await self._published(connection)
            await clear_staged(self._container, _folder(connection, operation), known)

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
            fresh = await self._publish(known, fresh, tag)
            await clear(self._container, making.waste)
            await self._clean_up(fresh, operation)
        return fresh.summary

    async def note(self, summary: Summary) -> None:
        with storage_errors("storing the summary of a discovery"):
            await write(self._container, run_name(summary), summary)
            if summary.state == "failed":  # another one is published, and looks there
                await forget_runs(self._container, summary.connection)

    async def _staged(self, connection: str, operation: str) -> tuple[Staged | None, str]:
        return await staged_in(self._container, _folder(connection, operation))

    async def _publish(self, known: Published | None, fresh: Published, tag: str) -> Published:
        """Make the snapshot visible, unless another one became visible meanwhile."""
        now = visible_since(fresh.summary)
        last = known.swept if known else fresh.summary.started
        fresh = replace(fresh, swept=now if due(known, now) else last)
        await write(self._container, run_name(fresh.summary), fresh.summary)
        if known is not None:
            # Before their names are forgotten: a crash in between leaves no orphans.
            await clear(self._container, known.expired(now))
        await replace_document(
            self._container,
            head(fresh.summary.connection),
            fresh,
            tag,
            "Another discovery of this connection finished at the same time.",
        )
        return fresh

    async def _clean_up(self, fresh: Published, operation: str) -> None:
        """What nobody needs any more; what a crash leaves here, a run of another day removes."""
        done = fresh.summary
        folder = _folder(done.connection, operation)
        if done.finished is not None:  # else it goes on reading
            await clear_staged(self._container, folder, fresh)
        if fresh.swept == visible_since(done):
            await sweep(self._container, done.connection, fresh)
            await forget_runs(self._container, done.connection)


def _checked(staged: Staged | None, operation: str) -> Staged:
    if staged is None:
        raise ValueError(f"nothing of {operation} has been checkpointed")
    return staged


def _folder(connection: str, operation: str) -> str:
    return f"{connection}/stage/{operation}/"
