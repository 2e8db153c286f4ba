"""Deletes blobs that nobody needs any more, also those that a crash has left behind."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from shared.planning.snapshots import READ, Published

if TYPE_CHECKING:
    from azure.storage.blob.aio import ContainerClient

AT_ONCE = 8
"""Requests at the same time; Azurite knows none that deletes several blobs."""


async def staged_files(container: "ContainerClient", folder: str) -> list[str]:
    return [name async for name in container.list_blob_names(name_starts_with=folder)]


async def delete(container: "ContainerClient", names: Sequence[str]) -> None:
    """Safe to repeat: one that is not there is no trouble."""
    from azure.core.exceptions import ResourceNotFoundError

    async def remove(name: str) -> None:
        with suppress(ResourceNotFoundError):
            await container.get_blob_client(name).delete_blob()

    for start in range(0, len(names), AT_ONCE):
        await asyncio.gather(*map(remove, names[start : start + AT_ONCE]))


async def drop_orphans(container: "ContainerClient", connection: str, fresh: Published) -> None:
    """Tables of attempts that came to nothing, when no such attempt can be at work any more."""
    kept = fresh.tables() | fresh.replaced.keys()
    found = [
        (blob.name, blob.last_modified)
        for folder in ("tables", "stage")
        async for blob in container.list_blobs(name_starts_with=f"{connection}/{folder}/")
    ]
    if not found:
        return
    newest = max(modified for _, modified in found)  # by the clock of the service
    old = [name for name, modified in found if newest - modified > READ and name not in kept]
    await delete(container, old)
