"""Deletes blobs that nobody needs any more, also those that a crash has left behind."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from shared import telemetry
from shared.adapters.blob_staged import PROGRESS
from shared.planning.snapshots import READ, Published

if TYPE_CHECKING:
    from azure.core.exceptions import AzureError
    from azure.storage.blob.aio import ContainerClient

HEAD = "published.json"
"""What makes a snapshot visible; it has just been written when orphans are looked for."""

AT_ONCE = 8
"""Requests at the same time. One that deletes many blobs would cost as much, as each is billed,
and Azurite refuses each part of such a request (github.com/Azure/Azurite, issue 1809)."""


async def clear_staged(container: "ContainerClient", folder: str, known: Published | None) -> None:
    """Delete what a run has staged, but for what a snapshot took over.

    First how far it was, so that nobody goes on from tables that are no more.
    """
    progress = f"{folder}{PROGRESS}"
    _, staged = await asyncio.gather(delete(container, [progress]), _names(container, folder))
    kept = known.tables() | known.replaced.keys() if known else frozenset[str]()
    await clear(container, [name for name in staged if name not in kept and name != progress])


async def _names(container: "ContainerClient", folder: str) -> list[str]:
    return [name async for name in container.list_blob_names(name_starts_with=folder)]


async def delete(container: "ContainerClient", names: Sequence[str]) -> None:
    """Safe to repeat; one that is not there is no trouble. Raises what the storage answers."""
    for start in range(0, len(names), AT_ONCE):
        for problem in await _deleted(container, names[start : start + AT_ONCE]):
            if problem is not None:
                raise problem


async def clear(container: "ContainerClient", names: Sequence[str]) -> int:
    """Delete what nobody waits for; answers how many are left, which a later run tries again.

    Waste is no reason to fail what has made it: a lock or a policy of the storage may keep it.
    """
    left: list[str] = []
    for start in range(0, len(names), AT_ONCE):
        some = names[start : start + AT_ONCE]
        problems = await _deleted(container, some)
        failed = {name: why for name, why in zip(some, problems, strict=True) if why is not None}
        if not left and failed:
            name, why = next(iter(failed.items()))
            first = f"{name}: {why.message or why!r}"
        left += failed
        if len(failed) == len(some):  # the others would meet the same
            left += names[start + AT_ONCE :]
            break
    if left:
        telemetry.event("waste.left", level=logging.WARNING, blobs=len(left), first=first)
    return len(left)


async def _deleted(container: "ContainerClient", names: Sequence[str]) -> "list[AzureError | None]":
    """For each blob why it is still there."""
    from azure.core.exceptions import AzureError, ResourceNotFoundError

    async def remove(name: str) -> AzureError | None:
        try:
            await container.get_blob_client(name).delete_blob()
        except ResourceNotFoundError:
            return None
        except AzureError as error:
            return error
        return None

    return list(await asyncio.gather(*map(remove, names)))


def due(known: Published | None, now: datetime) -> bool:
    """Whether it is time to look for orphans.

    Once a day is enough for what is looked at only when it is a day old: a connection has
    thousands of tables to look at, or none yet.
    """
    return known is not None and (known.swept is None or now - known.swept > READ)


async def sweep(container: "ContainerClient", connection: str, fresh: Published) -> None:
    """Delete tables of attempts that came to nothing, when none can be at work any more.

    Also those that an earlier run could not delete: no list names them since.
    """
    kept = fresh.tables() | fresh.replaced.keys()
    modified: dict[str, datetime] = {}

    async def look(at: str) -> None:
        async for blob in container.list_blobs(name_starts_with=f"{connection}/{at}"):
            modified[blob.name] = blob.last_modified

    await asyncio.gather(*map(look, ("tables/", "stage/", HEAD)))
    now = modified.pop(f"{connection}/{HEAD}")  # by the clock of the service
    old = [name for name, at in modified.items() if name not in kept and now - at > READ]
    await clear(container, old)
