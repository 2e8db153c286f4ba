"""How long the runs of a connection are told: as many as there are snapshots with changes."""

from typing import TYPE_CHECKING

from shared.adapters.blob_waste import clear
from shared.planning.snapshots import KEPT

if TYPE_CHECKING:
    from azure.storage.blob.aio import ContainerClient

AT_ONCE = 1000
"""Summaries deleted at a time; usually those of a day."""


async def forget_runs(container: "ContainerClient", connection: str) -> int:
    """Delete the summaries of all but the newest runs; answers how many. Safe to repeat.

    Their names sort newest first. All of them are listed, so that it is not for each run.
    """
    found = container.list_blob_names(name_starts_with=f"{connection}/runs/")
    old = [name async for name in found][KEPT:][:AT_ONCE]
    return len(old) - await clear(container, old)
