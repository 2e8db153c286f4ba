"""Imported users of each connection in Blob storage.

Blobs of a connection: ``requests/<operation>.json`` (what an operation imports),
``runs/<inverted start>-<operation>.json`` (a summary; names sort newest first),
``rows/<operation>-<unique>.ndjson.gz`` and ``users/<unique>.json.gz`` (written once), and
``head.json``, which names the users that readers get and the import that made them, written last.
"""

import asyncio
import gzip
import uuid
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

import msgspec

from shared.adapters.blob_container import require_container
from shared.adapters.blob_lines import lines, storage_errors
from shared.adapters.blob_runs import newest_runs, read, run_name, write
from shared.errors import TryLater
from shared.model.connection import FINISHED, Value
from shared.model.imports import ImportRequest, ImportRow, ImportSummary, UserStore

if TYPE_CHECKING:
    from azure.storage.blob.aio import ContainerClient

T = TypeVar("T")

CONFLICT = "CONFIG_CONFLICT"


class Head(Value, frozen=True, omit_defaults=False):
    """Which users are current, and the last finished import."""

    users: str
    summary: ImportSummary | None = None


class Run(Value, frozen=True, omit_defaults=False):
    """A summary with the blob of its rows."""

    summary: ImportSummary
    rows: str = ""


class BlobImports:
    """Implements ``ports.ImportStore``."""

    def __init__(self, container: "ContainerClient") -> None:
        self._container = container

    async def check(self) -> None:
        """Look at the container; raises `NeedsHuman` STORAGE_MISSING where there is none."""
        await require_container(self._container)

    async def keep(self, connection: str, operation: str, request: ImportRequest) -> None:
        with storage_errors("storing what to import"):
            await write(self._container, _request(connection, operation), request)

    async def request(self, connection: str, operation: str) -> ImportRequest | None:
        with storage_errors("reading what to import"):
            found, _ = await read(self._container, _request(connection, operation), ImportRequest)
        return found

    async def load(self, connection: str) -> tuple[UserStore, str]:
        with storage_errors("reading the imported users"):
            head, tag = await read(self._container, _head(connection), Head)
            if head is None:
                return UserStore(), ""
            stream = await self._container.get_blob_client(head.users).download_blob()
            packed = await stream.readall()
        return msgspec.json.decode(gzip.decompress(packed), type=UserStore), tag

    async def save(
        self,
        connection: str,
        store: UserStore,
        tag: str,
        summary: ImportSummary | None = None,
        rows: Sequence[ImportRow] = (),
    ) -> None:
        """Safe to repeat: every blob but the head has a name that no other writer uses."""
        unique = uuid.uuid4().hex
        with storage_errors("storing the imported users"):
            known, current = await read(self._container, _head(connection), Head)
            if current != tag:
                raise _conflict()
            users = f"{connection}/users/{unique}.json.gz"
            await self._put(users, gzip.compress(msgspec.json.encode(store)))
            if summary is not None:
                packed = f"{connection}/rows/{summary.operation}-{unique}.ndjson.gz"
                await self._put(packed, gzip.compress(msgspec.json.Encoder().encode_lines(rows)))
                # Beside the head: until that names it too, readers see the run as going on.
                await write(self._container, run_name(summary), Run(summary=summary, rows=packed))
            finished = summary or (known.summary if known else None)
            await self._publish(connection, Head(users=users, summary=finished), tag)

    async def note(self, summary: ImportSummary) -> None:
        with storage_errors("storing the summary of an import"):
            await write(self._container, run_name(summary), Run(summary=summary))

    async def summaries(self, connection: str) -> list[ImportSummary]:
        with storage_errors("reading the summaries of imports"):
            head, _ = await read(self._container, _head(connection), Head)
            names = await newest_runs(self._container, connection)
            found = await asyncio.gather(*(read(self._container, name, Run) for name in names))
        latest = head.summary if head else None
        return [_as_seen(run.summary, latest) for run, _ in found if run is not None]

    async def rows(self, connection: str, operation: str) -> AsyncIterator[ImportRow]:
        with storage_errors("reading the rows of an import"):
            async for name in self._container.list_blob_names(
                name_starts_with=f"{connection}/runs/"
            ):
                if not name.endswith(f"-{operation}.json"):
                    continue
                run, _ = await read(self._container, name, Run)
                if run is None or not run.rows:
                    return
                async for row in lines(self._container, run.rows, ImportRow):
                    yield row
                return

    async def _publish(self, connection: str, head: Head, tag: str) -> None:
        from azure.core import MatchConditions
        from azure.core.exceptions import ResourceExistsError, ResourceModifiedError

        blob, body = self._container.get_blob_client(_head(connection)), msgspec.json.encode(head)
        try:
            if tag:
                unchanged = MatchConditions.IfNotModified
                await blob.upload_blob(body, overwrite=True, etag=tag, match_condition=unchanged)
            else:
                await blob.upload_blob(body)
        except (ResourceExistsError, ResourceModifiedError) as error:
            raise _conflict() from error

    async def _put(self, name: str, body: bytes) -> None:
        await self._container.get_blob_client(name).upload_blob(body, overwrite=True)


def _head(connection: str) -> str:
    return f"{connection}/head.json"


def _request(connection: str, operation: str) -> str:
    return f"{connection}/requests/{operation}.json"


def _as_seen(summary: ImportSummary, latest: ImportSummary | None) -> ImportSummary:
    """A run whose users were stored but not published yet is still going on."""
    if summary.state not in FINISHED:
        return summary
    if latest is not None and latest.started >= summary.started:
        return summary
    return ImportSummary(
        operation=summary.operation,
        connection=summary.connection,
        state="running",
        started=summary.started,
        asked_by=summary.asked_by,
        scheduled=summary.scheduled,
        options=summary.options,
    )


def _conflict() -> TryLater:
    return TryLater(
        CONFLICT,
        "Somebody else changed the users of this connection at the same time.",
        after=timedelta(seconds=5),
    )
