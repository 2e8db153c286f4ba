"""Runs of a connection in Blob storage, as small JSON documents whose names sort newest first."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

import msgspec

from shared.errors import TryLater
from shared.model.accounts import Summary
from shared.model.imports import ImportSummary

if TYPE_CHECKING:
    from azure.storage.blob.aio import ContainerClient

T = TypeVar("T")

HISTORY = 50
"""Summaries that are shown; older ones stay in storage."""

RECENT = 5
"""Summaries that are read together where usually the newest ones say all."""

LAST = 10**16
"""Microseconds since 1970 in the year 2286; what is left until then sorts newest first."""


def run_name(summary: Summary | ImportSummary) -> str:
    left = LAST - int(summary.started.timestamp() * 1_000_000)
    return f"{summary.connection}/runs/{left:017d}-{summary.operation}.json"


async def newest_runs(container: "ContainerClient", connection: str) -> list[str]:
    """Names of the latest summaries."""
    return await anext(run_names(container, connection, HISTORY), [])


async def run_names(
    container: "ContainerClient", connection: str, count: int
) -> AsyncIterator[list[str]]:
    """Names of all summaries, newest first, so many at a time; no more are listed than needed."""
    found: list[str] = []
    listed = container.list_blob_names(
        name_starts_with=f"{connection}/runs/", results_per_page=HISTORY
    )
    async for name in listed:
        found.append(name)
        if len(found) == count:
            yield found
            found = []
    if found:
        yield found


async def read(container: "ContainerClient", name: str, type_: type[T]) -> tuple[T | None, str]:
    """A document and its ETag; None and no tag when it is not there."""
    from azure.core.exceptions import ResourceNotFoundError

    try:
        stream = await container.get_blob_client(name).download_blob()
        body = await stream.readall()
    except ResourceNotFoundError:
        return None, ""
    return msgspec.json.decode(body, type=type_), str(stream.properties.etag)


async def write(container: "ContainerClient", name: str, value: msgspec.Struct) -> None:
    blob = container.get_blob_client(name)
    await blob.upload_blob(msgspec.json.encode(value), overwrite=True)


async def replace_document(
    container: "ContainerClient", name: str, value: msgspec.Struct, tag: str, conflict: str
) -> str:
    """Write a document that has not changed since it had the ETag *tag*; none: it was not there.

    Answers its new ETag. Raises `TryLater` with code ``SNAPSHOT_CONFLICT`` when it did change.
    """
    from azure.core import MatchConditions
    from azure.core.exceptions import ResourceExistsError, ResourceModifiedError

    blob = container.get_blob_client(name)
    body = msgspec.json.encode(value)
    try:
        if tag:
            unchanged = MatchConditions.IfNotModified
            made = await blob.upload_blob(body, overwrite=True, etag=tag, match_condition=unchanged)
        else:
            made = await blob.upload_blob(body)
    except (ResourceExistsError, ResourceModifiedError) as error:
        raise TryLater("SNAPSHOT_CONFLICT", conflict, after=timedelta(seconds=5)) from error
    return str(made["etag"])
