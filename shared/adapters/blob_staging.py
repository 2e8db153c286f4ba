"""What a run of discovery reads, kept in Blob storage until it is published.

Blobs of a run: ``<connection>/stage/<operation>/<n>-<part>-<unique>`` (tables of what was read, in
the order of n), ``sources-...`` (how far each source is, where they are many) and
``progress.json``, which names those that count and says how far the run is.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from shared.adapters.blob_lines import storage_errors
from shared.adapters.blob_progress import SourceParts, read_parts
from shared.adapters.blob_runs import read, replace_document
from shared.adapters.tables import Codec, TableWriter, new_table
from shared.adapters.tables_rows import FOR_GOOD, GONE, PARTS, Lines, add_again
from shared.model.accounts import Account
from shared.model.connection import Value
from shared.model.entities import USER, Findings, Row
from shared.model.scan import Progress, family, voucher
from shared.planning.accounts import is_vouched
from shared.planning.merging import Coverage, key_of
from shared.planning.snapshots import Table

if TYPE_CHECKING:
    from azure.storage.blob.aio import ContainerClient

PROGRESS = "progress.json"

EXTRA = 100
"""Bytes that memory spends on a row beside its text."""

BUFFER = 16 << 20
"""Bytes of rows that are collected before they are written."""


class Staged(Value, frozen=True):
    """What counts of a run so far."""

    progress: Progress
    runs: dict[str, tuple[Table, ...]]  # by part of the snapshot, oldest first
    since: dict[str, dict[str, int]]  # voucher: tables of each part that count no more
    gaps: dict[str, tuple[str, ...]]  # voucher: objects whose links it could not read
    says: dict[str, dict[str, bool]]  # part: family of vouchers: it vouches for rows
    parts: tuple[str, ...] = ()  # blobs that have the sources, where they are many

    @property
    def coverage(self) -> Coverage:
        gaps: dict[str, frozenset[str]] = {}
        for by, objects in self.gaps.items():
            for object_ in objects:
                gaps[object_] = gaps.get(object_, frozenset()) | {by}
        return Coverage.of(self.progress, gaps)


class BlobStaging:
    """Implements ``ports.Staging``; one attempt at a run."""

    def __init__(
        self, container: "ContainerClient", folder: str, kept: Staged | None, tag: str
    ) -> None:
        self._container, self._folder, self._tag = container, folder, tag
        self._codec, self._encoder = Codec(), msgspec.json.Encoder()
        self._lines, self._size = _nothing(), 0  # by part, voucher and id
        self._flushing = asyncio.Lock()
        self._progress = kept.progress if kept else None
        names, sources = (kept.parts, kept.progress.sources) if kept else ((), ())
        self._sources = SourceParts(container, folder, names, sources)
        self._runs = {part: list(kept.runs.get(part, ())) if kept else [] for part in PARTS}
        self._since = dict(kept.since) if kept else {}
        self._gaps = {by: set(found) for by, found in kept.gaps.items()} if kept else {}
        self._says = {part: dict(kept.says.get(part, {})) if kept else {} for part in PARTS}

    @property
    def progress(self) -> Progress | None:
        return self._progress

    async def stage(self, source_key: str, found: Findings) -> None:
        by = voucher(source_key)
        self._take_gone("accounts", by, found)
        if by != USER:
            self._take_gone("entities", by, found)
        accounts = [row for row in found.rows if isinstance(row, Account)]
        self._take("accounts", by, [row.id for row in accounts], accounts)
        if len(accounts) < len(found.rows):
            others = [row for row in found.rows if not isinstance(row, Account)]
            self._take("entities", by, [row.id for row in others], others)
        unlinked = dict.fromkeys(map(key_of, found.unlinked), GONE)
        self._add("links", by, unlinked, vouches=False)
        self._take("links", by, [key_of(link) for link in found.links], found.links)
        if found.unread:
            self._gaps.setdefault(by, set()).update(item.id for item in found.unread)
        if self._size >= BUFFER:
            with storage_errors("storing what was read"):
                await self._flush()

    async def restart(self, source_key: str) -> None:
        by = voucher(source_key)
        with storage_errors("storing what was read"):
            await self._flush()
        for part in PARTS:
            self._says[part].pop(by, None)
        self._gaps.pop(by, None)
        self._since[by] = {part: len(tables) for part, tables in self._runs.items()}

    async def checkpoint(self, progress: Progress) -> None:
        with storage_errors("storing how far a discovery is"):
            await self._flush()
            parts = await self._sources.keep(progress.sources)
            staged = Staged(
                progress=replace(progress, sources=()) if parts else progress,
                parts=parts,
                runs={part: tuple(tables) for part, tables in self._runs.items() if tables},
                since=self._since,
                gaps={by: tuple(sorted(found)) for by, found in self._gaps.items()},
                says=self._says,
            )
            self._tag = await replace_document(
                self._container,
                f"{self._folder}{PROGRESS}",
                staged,
                self._tag,
                "Another attempt at this discovery went on meanwhile.",
            )
        self._progress = progress

    @property
    def _number(self) -> int:
        return sum(map(len, self._runs.values()))

    def _take(self, part: str, by: str, keys: list[str], rows: Sequence[Row]) -> None:
        if not rows:
            return
        vouches = part != "accounts" or any(
            isinstance(row, Account) and is_vouched(row) for row in rows
        )
        text = self._encoder.encode_lines(rows)
        lines = text.split(b"\n")
        self._size += len(text)
        found = dict(zip(keys, lines, strict=False))  # there is an empty line behind the last
        if len(found) < len(keys) and part == "accounts":
            found = {}
            for key, line in zip(keys, lines, strict=False):
                add_again(found, {key: line})
        self._add(part, by, found, vouches=vouches)

    def _take_gone(self, part: str, by: str, found: Findings) -> None:
        gone = dict.fromkeys(found.gone, GONE) | dict.fromkeys(found.for_good, FOR_GOOD)
        self._add(part, by, gone, vouches=False)

    def _add(self, part: str, by: str, lines: Lines, *, vouches: bool) -> None:
        if not lines:
            return
        says = self._says[part]
        says[family(by)] = vouches or says.get(family(by), False)
        known = self._lines[part].setdefault(by, {})
        if part != "accounts" or not known or known.keys().isdisjoint(lines):
            known.update(lines)
        else:
            add_again(known, lines)
        self._size += EXTRA * len(lines)

    async def _flush(self) -> None:
        """One at a time: the later of two rows is the one in the later table."""
        async with self._flushing:
            lines, self._lines, self._size = self._lines, _nothing(), 0
            for part, sources in lines.items():
                if not sources:
                    continue
                keys, rows = in_order(sources)
                name = new_table(f"{self._folder}{self._number:06d}-", part)
                writer = TableWriter(self._container, name, self._codec)
                await writer.add(keys, rows)
                table = await writer.close()
                if table is not None:
                    self._runs[part].append(table)


async def staged_in(container: "ContainerClient", folder: str) -> tuple[Staged | None, str]:
    """What counts of a run, with the ETag of the document that says so."""
    known, tag = await read(container, f"{folder}{PROGRESS}", Staged)
    if known is None or not known.parts:
        return known, tag
    sources = await read_parts(container, known.parts)
    return replace(known, progress=replace(known.progress, sources=sources)), tag


def _nothing() -> dict[str, dict[str, Lines]]:
    return {part: {} for part in PARTS}


def in_order(sources: Mapping[str, Mapping[str, bytes]]) -> tuple[list[str], list[bytes]]:
    """The rows of each voucher by id, as keys and rows of a table."""
    keys: list[str] = []
    rows: list[bytes] = []
    for by, lines in sources.items():
        ids = sorted(lines)
        keys += f"\t{by}\n".join((*ids, "")).split("\n")[:-1]
        rows += map(lines.__getitem__, ids)
    if len(keys) != len(rows):
        raise ValueError("an id has a line break in it")
    if len(sources) > 1:
        both = dict(zip(keys, rows, strict=True))
        keys = sorted(both)
        rows = list(map(both.__getitem__, keys))
    return keys, rows
