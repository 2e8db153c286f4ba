"""The parts of a snapshot that is being made; nothing of it is visible yet."""

from collections.abc import Collection, Sequence
from itertools import chain

from shared.adapters.blob_insert import Insert, count_listed
from shared.adapters.blob_listed import merge
from shared.adapters.blob_merge import Outcome, PartMerge, Rules
from shared.adapters.blob_place import TARGETS, Place, Plain, Runs, Said
from shared.adapters.tables_ranges import RANGE, Listed, Rows, merging
from shared.adapters.tables_read import of_id, starting
from shared.adapters.tables_rows import ANYBODY, GONE, Lines, latest, spoken, targets_of
from shared.adapters.tables_spill import Spill
from shared.model.scan import CHOSEN, family
from shared.planning.counting import Count
from shared.planning.merging import Losing
from shared.planning.snapshots import Made, Published, Stack, Table


class Snapshot:
    """A snapshot that is being made, part by part; links come last."""

    def __init__(self, place: Place, known: Published | None) -> None:
        self._place, self._known = place, known
        self.count = Count(known.summary if known else None)
        self.losing = Losing()
        self.waiting = Losing(known.held.losses if known and known.held else None)
        self.parted: set[str] = set()
        self.stacks: dict[str, Stack] = dict(known.stacks) if known else {}
        self.parked: dict[str, Table] = dict(known.parked) if known else {}
        self._whole: list[tuple[str, Table]] = []
        self._changes = None if place.dry else place.writer("changes")
        self._targets = place.spill()
        self.waste: list[str] = []  # tables that were merged into others before anybody saw them

    async def take(self, part: str, said: Said, rules: Rules) -> None:
        """Merge one part with what was staged of it."""
        stack = self.stacks.get(part, Stack())
        silent = [by for by in stack.vouchers if not rules.coverage.keeps(by)]
        # Of two sources that vouch for a row, a fresh one counts more than a stale one.
        shifts = part == "accounts" and rules.shifts(stack.vouchers)
        if not (said.count or silent or shifts):
            return
        into = self._outcome(part)
        into.weighed = self._place.dry and any(by.endswith(CHOSEN) for by in stack.vouchers)
        parked = self.parked.get(part)
        first = not (stack.tables or parked)
        if first and self._place.dry:
            return  # nothing was there that could go
        fresh: Table | None = None
        if first and said.listed:
            fresh = await self._insert_listed(said.rows, said.listed, into)
        elif first and said.plain and not rules.parted:
            fresh = await self._insert_plain(part, said.rows, said.plain)
        elif first:
            await Insert(part, said.vouches, rules, into).run(said.rows)
        else:
            whole = shifts or into.weighed
            rows, known = await self._facing(part, stack, said, silent, whole=whole)
            held = [await self._place.tables.all(parked)] if parked else []
            await PartMerge(part, rules, into).run(known, rows, held)
        if self._place.dry:
            return
        assert into.rows is not None  # noqa: S101 - it is not dry
        fresh = fresh or await into.rows.close()
        await self._keep(part, said, rules, into, fresh, first=first)

    async def _insert_listed(self, rows: Sequence[Rows], runs: Runs, into: Outcome) -> Table | None:
        """What was staged is what the snapshot has: one run as it is, or several merged."""
        counts = runs.counts
        if runs.table is None and into.rows is not None:
            counts = await merge(rows, runs.by, counts, into.rows)
        count_listed(self.count, counts)
        return runs.table

    async def _insert_plain(self, part: str, rows: Sequence[Rows], plain: Plain) -> Table:
        """What was staged is what the snapshot has; only links are looked at, for their index."""
        if part != "links":
            self.count.inserted(plain.kinds)
            return plain.table
        self.count.linked(plain.table.rows)
        async for taken in merging(rows):
            keys = chain.from_iterable(segment.keys for table in taken for segment in table)
            await self._targets.add(targets_of(keys))
        return plain.table

    async def finish(self, number: int, unread: tuple[str, ...]) -> Made | None:
        """The changes that lead to this snapshot."""
        await self._index_targets()
        file = await self._changes.close() if self._changes else None
        if not (file or self._whole):
            return None
        return Made(number=number, file=file, whole=tuple(self._whole), unread=unread)

    def _outcome(self, part: str) -> Outcome:
        into = Outcome(self.count, self.losing, self.waiting, self.parted)
        if not self._place.dry:
            into.rows = self._place.writer(part)
            into.parked = self._place.writer(f"{part}-parked")
            into.changes = self._changes
            into.targets = self._targets
        return into

    async def _facing(
        self, part: str, stack: Stack, said: Said, silent: Collection[str], *, whole: bool
    ) -> tuple[Sequence[Rows], list[Rows]]:
        """What was staged, and the tables before: all of them, or where these rows would be and
        those are for which somebody vouched who names everything anew."""
        tables = self._place.tables
        whole = whole or said.count > RANGE
        ids = set() if whole else await vouched(self._place, stack.tables, silent)
        if whole or len(ids) > RANGE:
            return said.rows, [await tables.all(table) for table in stack.tables]
        lines: Lines = {}
        async for taken in merging(said.rows):
            lines.update(spoken(part, taken))
        ids |= {key.partition("\t")[0] for key in lines}
        spans = [of_id(id_) for id_ in sorted(ids)]
        return [Listed(lines)], [await tables.holding(table, spans) for table in stack.tables]

    async def _keep(
        self,
        part: str,
        said: Said,
        rules: Rules,
        into: Outcome,
        fresh: Table | None,
        *,
        first: bool,
    ) -> None:
        stack = self.stacks.get(part, Stack())
        assert into.parked is not None  # noqa: S101 - it is not dry
        parked = await into.parked.close()
        self.parked.pop(part, None)
        if parked:
            self.parked[part] = parked
        if first and fresh:
            self._whole.append((part, fresh))
        lasting = {by for by in stack.vouchers if rules.lets_stay(by)}
        vouchers = tuple(sorted(lasting | said.vouches.keys()))
        self.stacks[part] = await self._settled(
            part, Stack(tables=(*stack.tables, *([fresh] if fresh else ())), vouchers=vouchers)
        )

    async def _settled(self, part: str, stack: Stack) -> Stack:
        """With fewer tables, when there are too many or too much is in them."""
        start = stack.merges_from
        if start == len(stack.tables):
            return stack
        writer = self._place.writer(part)
        cursors = [await self._place.tables.all(table) for table in stack.tables[start:]]
        async for taken in merging(cursors):
            rows = latest(taken, tombstones=start > 0)
            keys = sorted(rows)
            await writer.add(keys, list(map(rows.__getitem__, keys)))
        merged = await writer.close()
        kept = stack.tables[:start]
        seen = self._known.tables() if self._known else frozenset[str]()
        told = {table.name for _, table in self._whole}
        names = {table.name for table in stack.tables[start:]}
        self.waste += sorted(names - seen - told)
        return Stack(tables=(*kept, *([merged] if merged else ())), vouchers=stack.vouchers)

    async def _index_targets(self) -> None:
        rows = await self._targets.sorted()
        if not rows:
            return
        stack = self.stacks.get(TARGETS, Stack())
        writer = self._place.writer(TARGETS)
        async for taken in merging(rows):
            lines = latest(taken, tombstones=bool(stack.tables))
            keys = sorted(lines)
            await writer.add(keys, list(map(lines.__getitem__, keys)))
        table = await writer.close()
        if table:
            stack = Stack(tables=(*stack.tables, table))
            self.stacks[TARGETS] = await self._settled(TARGETS, stack)


async def vouched(place: Place, tables: Sequence[Table], vouchers: Collection[str]) -> set[str]:
    """Ids of the rows that one of these families vouched for; it stops when they are too many."""
    ids: set[str] = set()
    for table in tables:
        cursor = await place.tables.vouched(table, vouchers)
        async for segment in cursor.segments():
            keys = [key.partition("\t") for key in segment.keys]
            ids |= {id_ for id_, _, by in keys if family(by) in vouchers}
            if len(ids) > RANGE:
                return ids
    return ids


async def dangling(place: Place, known: Published, parted: set[str]) -> Spill:
    """Tombstones of the links that objects had which are no more."""
    spill = place.spill()
    ids = sorted(parted)
    targets = [starting(f"{id_}\t") for id_ in ids]
    sources = [starting(f"{id_}/") for id_ in ids]
    for part, spans in ((TARGETS, targets), ("links", sources)):
        tables = known.stack(part).tables
        cursors = [await place.tables.holding(table, spans) for table in tables]
        async for taken in merging(cursors):
            found = [key.partition("\t") for key in latest(taken)]
            if part == TARGETS:
                links = [link for target, _, link in found if target in parted]
            else:
                links = [link for link, _, _ in found if link.partition("/")[0] in parted]
            await spill.add({f"{link}\t{ANYBODY}": GONE for link in links})
    return spill
