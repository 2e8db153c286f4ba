"""The document that says what of a run counts so far."""

from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from shared.adapters.blob_progress import read_parts
from shared.adapters.blob_runs import read
from shared.model.connection import Value
from shared.model.listed import Counts
from shared.model.scan import Progress
from shared.planning.merging import Coverage
from shared.planning.snapshots import Table

if TYPE_CHECKING:
    from azure.storage.blob.aio import ContainerClient

PROGRESS = "progress.json"


class Contents(Value, frozen=True):
    """What a table has."""

    by: str = ""  # of accounts: who listed users of it; empty when nobody did
    counts: Counts = Counts()  # of these
    others: tuple[str, ...] = ()  # families of vouchers of its other rows
    kinds: dict[str, int] = msgspec.field(default_factory=dict)  # of entities
    whole: bool = True  # it has no tombstones


class Staged(Value, frozen=True):
    """What counts of a run so far."""

    progress: Progress
    runs: dict[str, tuple[Table, ...]]  # by part of the snapshot, oldest first
    since: dict[str, dict[str, int]]  # voucher: tables of each part that count no more
    gaps: dict[str, tuple[str, ...]]  # voucher: objects whose links it could not read
    says: dict[str, dict[str, bool]]  # part: family of vouchers: it vouches for rows
    parts: tuple[str, ...] = ()  # blobs that have the sources, where they are many
    contents: dict[str, Contents] = msgspec.field(default_factory=dict)  # by table

    @property
    def coverage(self) -> Coverage:
        gaps: dict[str, frozenset[str]] = {}
        for by, objects in self.gaps.items():
            for object_ in objects:
                gaps[object_] = gaps.get(object_, frozenset()) | {by}
        return Coverage.of(self.progress, gaps)


async def staged_in(container: "ContainerClient", folder: str) -> tuple[Staged | None, str]:
    """What counts of a run, with the ETag of the document that says so."""
    known, tag = await read(container, f"{folder}{PROGRESS}", Staged)
    if known is None or not known.parts:
        return known, tag
    sources = await read_parts(container, known.parts)
    return replace(known, progress=replace(known.progress, sources=sources)), tag
