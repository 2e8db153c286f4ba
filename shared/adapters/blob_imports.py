"""Imported users of each connection in Blob storage.

Blobs of a connection: ``requests/<operation>.json`` (what an operation imports),
``runs/<inverted start>-<operation>.json`` (a summary; names sort newest first),
``rows/<operation>-<unique>.ndjson.gz`` and ``users/<unique>.json.gz`` (written once), and
``head.json``, which names the users that readers get and the import that made them, written last.
"""

import asyncio
import gzip
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

import msgspec

from shared.errors import TryLater
from shared.model.connection import Value
from shared.model.imports import ImportRequest, ImportRow, ImportSummary, UserStore

if TYPE_CHECKING:
    from azure.storage.blob.aio import ContainerClient

T = TypeVar("T")

HISTORY = 50
"""Summaries that are read; older ones stay in storage."""

LAST = 10**16
"""Microseconds since 1970 in the year 2286; what is left until then sorts newest first."""

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

    async def keep(self, connection: str, operation: str, request: ImportRequest) -> None:
        with _storage_errors("storing what to import"):
            await self._write(_request(connection, operation), request)

    async def request(self, connection: str, operation: str) -> ImportRequest | None:
        with _storage_errors("reading what to import"):
            found, _ = await self._read(_request(connection, operation), ImportRequest)
        return found

    async def load(self, connection: str) -> tuple[UserStore, str]:
        with _storage_errors("reading the imported users"):
            head, tag = await self._read(_head(connection), Head)
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
        with _storage_errors("storing the imported users"):
            known, current = await self._read(_head(connection), Head)
            if current != tag:
                raise _conflict()
            users = f"{connection}/users/{unique}.json.gz"
            await self._put(users, gzip.compress(msgspec.json.encode(store)))
            if summary is not None:
                lines = f"{connection}/rows/{summary.operation}-{unique}.ndjson.gz"
                await self._put(lines, gzip.compress(msgspec.json.Encoder().encode_lines(rows)))
                # Beside the head: until that names it too, readers see the run as going on.
                await self._write(_run(summary), Run(summary=summary, rows=lines))
            finished = summary or (known.summary if known else None)
            await self._publish(connection, Head(users=users, summary=finished), tag)

    async def note(self, summary: ImportSummary) -> None:
        with _storage_errors("storing the summary of an import"):
            await self._write(_run(summary), Run(summary=summary))

    async def summaries(self, connection: str) -> list[ImportSummary]:
        with _storage_errors("reading the summaries of imports"):
            head, _ = await self._read(_head(connection), Head)
            names: list[str] = []
            async for name in self._container.list_blob_names(
                name_starts_with=f"{connection}/runs/"
            ):
                names.append(name)
                if len(names) == HISTORY:
                    break
            found = await asyncio.gather(*(self._read(name, Run) for name in names))
        latest = head.summary if head else None
        return [_as_seen(run.summary, latest) for run, _ in found if run is not None]

    async def rows(self, connection: str, operation: str) -> AsyncIterator[ImportRow]:
        with _storage_errors("reading the rows of an import"):
            async for name in self._container.list_blob_names(
                name_starts_with=f"{connection}/runs/"
            ):
                if not name.endswith(f"-{operation}.json"):
                    continue
                run, _ = await self._read(name, Run)
                if run is None or not run.rows:
                    return
                stream = await self._container.get_blob_client(run.rows).download_blob()
                lines = gzip.decompress(await stream.readall()).splitlines()
                decoder = msgspec.json.Decoder(ImportRow)
                for line in lines:
                    yield decoder.decode(line)
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

    async def _write(self, name: str, value: msgspec.Struct) -> None:
        await self._put(name, msgspec.json.encode(value))

    async def _put(self, name: str, body: bytes) -> None:
        await self._container.get_blob_client(name).upload_blob(body, overwrite=True)

    async def _read(self, name: str, type_: type[T]) -> tuple[T | None, str]:
        from azure.core.exceptions import ResourceNotFoundError

        try:
            stream = await self._container.get_blob_client(name).download_blob()
            body = await stream.readall()
        except ResourceNotFoundError:
            return None, ""
        return msgspec.json.decode(body, type=type_), str(stream.properties.etag)


def _head(connection: str) -> str:
    return f"{connection}/head.json"


def _request(connection: str, operation: str) -> str:
    return f"{connection}/requests/{operation}.json"


def _run(summary: ImportSummary) -> str:
    left = LAST - int(summary.started.timestamp() * 1_000_000)
    return f"{summary.connection}/runs/{left:017d}-{summary.operation}.json"


def _as_seen(summary: ImportSummary, latest: ImportSummary | None) -> ImportSummary:
    """A run whose users were stored but not published yet is still going on."""
    if summary.state not in ("succeeded", "partial"):
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


@contextmanager
def _storage_errors(doing: str) -> Iterator[None]:
    from azure.core.exceptions import AzureError

    try:
        yield
    except AzureError as error:
        raise TryLater("STORAGE_UNAVAILABLE", f"{doing}: {error}") from error
