"""What a run of discovery reads, kept in Blob storage until it is published.

Blobs of a run: ``<connection>/stage/<operation>/<n>-<part>-<unique>`` (tables of what was read, in
the order of n), ``sources-...`` (how far each source is, where they are many) and
``progress.json``, which names those that count and says how far the run is.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from shared.adapters.blob_lines import storage_errors
from shared.adapters.blob_listed import Listed, by_id
from shared.adapters.blob_progress import SourceParts
from shared.adapters.blob_runs import replace_document
from shared.adapters.blob_staged import PROGRESS, Contents, Staged
from shared.adapters.side_by_side import side_by_side
from shared.adapters.tables import Codec, Segment
from shared.adapters.tables_read import Tables
from shared.adapters.tables_rows import FOR_GOOD, GONE, PARTS, Lines, add_again, keyed, kinds_of
from shared.adapters.tables_write import TableWriter, new_table
from shared.model.accounts import Account
from shared.model.entities import USER, Findings, Row
from shared.model.listed import ListedUsers
from shared.model.scan import Progress, family, voucher
from shared.planning.accounts import is_vouched
from shared.planning.merging import key_of

EXTRA, LINE = 220, 45
"""Bytes that memory spends on a row beside its text, and on that of a listed user."""

BUFFER = 32 << 20
"""Bytes of rows that are collected before they are written."""


class BlobStaging:
    """Implements ``ports.Staging``; one attempt at a run."""

    def __init__(self, tables: Tables, folder: str, kept: Staged | None, tag: str) -> None:
        self._tables, self._container = tables, tables.container
        self._folder, self._tag = folder, tag
        self._encoder = msgspec.json.Encoder()
        self._lines, self._size = _nothing(), 0  # by part, voucher and id
        self._listed: dict[str, Listed] = {}  # by voucher; of those, the lines have no accounts
        self._flushing = asyncio.Lock()
        self._progress = kept.progress if kept else None
        names, sources = (kept.parts, kept.progress.sources) if kept else ((), ())
        self._sources = SourceParts(self._container, folder, names, sources)
        self._runs = {part: list(kept.runs.get(part, ())) if kept else [] for part in PARTS}
        self._number = sum(map(len, self._runs.values()))
        self._since = dict(kept.since) if kept else {}
        self._gaps = {by: set(found) for by, found in kept.gaps.items()} if kept else {}
        self._contents = dict(kept.contents) if kept else {}
        self._says = {part: dict(kept.says.get(part, {})) if kept else {} for part in PARTS}

    @property
    def progress(self) -> Progress | None:
        return self._progress

    async def stage(self, source_key: str, found: Findings) -> None:
        by = voucher(source_key)
        self._take_gone("accounts", by, found)
        if by != USER:
            self._take_gone("entities", by, found)
        if isinstance(found.rows, ListedUsers):
            self._take_listed(by, found.rows)
        else:
            self._take_rows(by, found.rows)
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
                contents=self._contents,
            )
            self._tag = await replace_document(
                self._container,
                f"{self._folder}{PROGRESS}",
                staged,
                self._tag,
                "Another attempt at this discovery went on meanwhile.",
            )
        self._progress = progress

    def _take_listed(self, by: str, found: ListedUsers) -> None:
        if self._lines["accounts"].get(by):  # what was said first is to be told from what was last
            self._add("accounts", by, by_id([found.lines]), vouches=True)
            self._size += found.size
        elif found.lines:
            self._says["accounts"][by] = True
            self._listed.setdefault(by, Listed()).add(found)
            self._size += found.size + LINE * len(found)

    def _take_rows(self, by: str, rows: Sequence[Row]) -> None:
        accounts = [row for row in rows if isinstance(row, Account)]
        self._take("accounts", by, [row.id for row in accounts], accounts)
        if len(accounts) < len(rows):
            others = [row for row in rows if not isinstance(row, Account)]
            self._take("entities", by, [row.id for row in others], others)

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
        if part == "accounts" and by in self._listed:
            before = self._listed.pop(by)
            self._lines[part][by] = before.rows()
            self._size += EXTRA * len(before)
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
            listed, self._listed = self._listed, {}
            others = [part for part in PARTS if part != "accounts"]
            await side_by_side(
                [
                    self._flush_accounts(lines["accounts"], listed),
                    *(self._flush_part(part, lines[part]) for part in others),
                ]
            )

    async def _flush_accounts(
        self, lines: Mapping[str, Lines], listed: Mapping[str, Listed]
    ) -> None:
        for by, found in listed.items():
            await self._write_accounts(lines, by, found)
            lines = {}
        if lines:
            await self._write_accounts(lines, "", Listed())

    async def _flush_part(self, part: str, sources: Mapping[str, Lines]) -> None:
        if sources:
            keys, rows = keyed(sources)
            writer = self._writer(part)
            await writer.add(keys, rows)
            contents = Contents(
                others=_families(sources),
                kinds=kinds_of(rows) if part == "entities" else {},
                whole=_is_whole(rows),
            )
            self._contents[await self._keep(part, writer)] = contents

    async def _write_accounts(self, sources: Mapping[str, Lines], by: str, found: Listed) -> None:
        """Listed users and what others say, in one table; or each of it alone."""
        users, counts = found.in_order()
        keys, rows = keyed(sources)
        writer = self._writer("accounts")
        await writer.add_listed(Segment([], users, by), found.size, Segment(keys, rows))
        contents = Contents(
            by=by,
            counts=counts,
            others=_families(sources),
            whole=_is_whole(rows),
        )
        self._contents[await self._keep("accounts", writer)] = contents

    def _writer(self, part: str) -> TableWriter:
        name = new_table(f"{self._folder}{self._number:06d}-", part)
        self._number += 1
        return TableWriter(self._container, name, Codec())

    async def _keep(self, part: str, writer: TableWriter) -> str:
        table = await writer.close()
        if table is None:
            return ""
        self._tables.remember(table, writer.blocks, writer.whole)
        self._runs[part].append(table)
        return table.name


def _families(vouchers: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(map(family, vouchers)))


def _is_whole(rows: Sequence[bytes]) -> bool:
    """Whether there are no tombstones."""
    return GONE not in rows and FOR_GOOD not in rows


def _nothing() -> dict[str, dict[str, Lines]]:
    return {part: {} for part in PARTS}
