"""Snapshots of discovered accounts in Blob storage.

Blobs of a connection: ``<operation>.ndjson.gz`` (a snapshot, written once),
``runs/<inverted start>-<operation>.json`` (a summary; names sort newest first) and
``latest.json`` (the summary of the snapshot that readers get, written last).
"""

import asyncio
import zlib
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from shared.errors import TryLater
from shared.model.accounts import Account, Summary
from shared.planning.discovery import Comparison

if TYPE_CHECKING:
    from azure.storage.blob.aio import ContainerClient

HISTORY = 50
"""Summaries that are read; older ones stay in storage."""

GZIP = 31
"""zlib's window bits for the gzip format."""

PIECE = 1 << 18
"""Bytes unpacked at a time: an account's line is a few hundred."""

LAST = 10**16
"""Microseconds since 1970 in the year 2286; what is left until then sorts newest first."""


class BlobAccounts:
    """Implements ``ports.AccountStore``."""

    def __init__(self, container: "ContainerClient") -> None:
        self._container = container

    async def save(self, summary: Summary, accounts: Sequence[Account]) -> Summary:
        """Safe to repeat: an operation makes one snapshot, whatever it finds the second time."""
        with _storage_errors("storing the discovered accounts"):
            latest, tag = await self._latest(summary.connection)
            if latest is not None and latest.operation == summary.operation:
                return latest
            comparison = Comparison(accounts)
            if latest is not None:
                async for before in self._lines(latest.snapshot):
                    comparison.see(before)
            counts = comparison.counts()
            full = replace(
                summary,
                snapshot=f"{summary.connection}/{summary.operation}.ndjson.gz",
                added=counts.added,
                changed=counts.changed,
                removed=counts.removed,
                unchanged=counts.unchanged,
            )
            blob = self._container.get_blob_client(full.snapshot)
            await blob.upload_blob(_packed(accounts), overwrite=True)
            await self._write(_run(full), full)
            await self._publish(full, tag)
        return full

    async def note(self, summary: Summary) -> None:
        with _storage_errors("storing the summary of a discovery"):
            await self._write(_run(summary), summary)

    async def summaries(self, connection: str) -> list[Summary]:
        with _storage_errors("reading the summaries of discovery"):
            latest, _ = await self._latest(connection)
            names = self._container.list_blob_names(name_starts_with=f"{connection}/runs/")
            newest: list[str] = []
            async for name in names:
                newest.append(name)
                if len(newest) == HISTORY:
                    break
            found = await asyncio.gather(*(self._read(name) for name in newest))
        return [_as_seen(summary, latest) for summary, _ in found if summary is not None]

    async def accounts(self, connection: str) -> AsyncIterator[Account]:
        """The accounts of the latest finished snapshot."""
        with _storage_errors("reading the discovered accounts"):
            latest, _ = await self._latest(connection)
            if latest is not None:
                async for account in self._lines(latest.snapshot):
                    yield account

    async def _latest(self, connection: str) -> tuple[Summary | None, str]:
        return await self._read(_latest_name(connection))

    async def _publish(self, summary: Summary, tag: str) -> None:
        """Make the snapshot visible, unless another one became visible meanwhile."""
        from azure.core import MatchConditions
        from azure.core.exceptions import ResourceExistsError, ResourceModifiedError

        blob = self._container.get_blob_client(_latest_name(summary.connection))
        body = msgspec.json.encode(summary)
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

    async def _write(self, name: str, summary: Summary) -> None:
        blob = self._container.get_blob_client(name)
        await blob.upload_blob(msgspec.json.encode(summary), overwrite=True)

    async def _read(self, name: str) -> tuple[Summary | None, str]:
        from azure.core.exceptions import ResourceNotFoundError

        try:
            stream = await self._container.get_blob_client(name).download_blob()
            body = await stream.readall()
        except ResourceNotFoundError:
            return None, ""
        return msgspec.json.decode(body, type=Summary), str(stream.properties.etag)

    async def _lines(self, name: str) -> AsyncIterator[Account]:
        """A chunk of the blob and a piece of its text in memory, however long it is."""
        stream = await self._container.get_blob_client(name).download_blob()
        decoder, inflate, rest = msgspec.json.Decoder(Account), zlib.decompressobj(GZIP), b""
        async for chunk in stream.chunks():
            for text in _unpacked(inflate, chunk):
                *lines, rest = (rest + text).split(b"\n")
                for line in lines:
                    yield decoder.decode(line)


def _latest_name(connection: str) -> str:
    return f"{connection}/latest.json"


def _run(summary: Summary) -> str:
    left = LAST - int(summary.started.timestamp() * 1_000_000)
    return f"{summary.connection}/runs/{left:017d}-{summary.operation}.json"


def _as_seen(summary: Summary, latest: Summary | None) -> Summary:
    """A summary whose snapshot was stored but not published yet is still running."""
    unpublished = summary.finished is not None and (
        latest is None or latest.finished is None or summary.finished > latest.finished
    )
    if not (summary.snapshot and unpublished):
        return summary
    return Summary(
        operation=summary.operation,
        connection=summary.connection,
        state="running",
        mode=summary.mode,
        started=summary.started,
    )


def _packed(accounts: Iterable[Account]) -> Iterator[bytes]:
    deflate, encoder = zlib.compressobj(wbits=GZIP), msgspec.json.Encoder()
    for account in accounts:
        yield deflate.compress(encoder.encode(account) + b"\n")
    yield deflate.flush()


def _unpacked(inflate: "zlib._Decompress", chunk: bytes) -> Iterator[bytes]:
    while True:
        text = inflate.decompress(chunk, PIECE)
        chunk = inflate.unconsumed_tail
        yield text
        if not chunk and len(text) < PIECE:
            return


@contextmanager
def _storage_errors(doing: str) -> Iterator[None]:
    from azure.core.exceptions import AzureError

    try:
        yield
    except AzureError as error:
        raise TryLater("STORAGE_UNAVAILABLE", f"{doing}: {error}") from error
