"""A publication: all parts of a snapshot by one rule, and what makes them visible."""

from collections.abc import Sequence

from shared.adapters.blob_merge import Rules
from shared.adapters.blob_place import Place, Plain, Runs, Said
from shared.adapters.blob_snapshot import Snapshot, dangling
from shared.adapters.blob_staged import Contents, Staged
from shared.adapters.tables_ranges import Rows, Without
from shared.adapters.tables_rows import PARTS
from shared.adapters.tables_spill import Spill
from shared.model.accounts import Summary
from shared.model.listed import Counts
from shared.model.scan import CHOSEN, Held, Losses, Removals
from shared.planning.merging import Coverage, next_cookies
from shared.planning.snapshots import Published, Table, next_number, succeeding, visible_since


class Publication:
    """Merges what was staged, or what was parked, with the snapshot before."""

    def __init__(self, place: Place, known: Published | None) -> None:
        self._place, self._known = place, known
        self._snapshot = Snapshot(place, known)
        self._stale = frozenset(known.unread) if known else frozenset[str]()
        self._unread = self._stale
        self._cookies = dict(known.cookies) if known else {}

    @property
    def losses(self) -> Losses:
        return self._snapshot.losing.losses()

    @property
    def waste(self) -> list[str]:
        """Tables that were written on the way, for nobody to read."""
        return self._snapshot.waste

    async def take(self, staged: Staged, removals: Removals) -> None:
        coverage = staged.coverage
        self._unread = coverage.unread
        self._cookies = next_cookies(staged.progress, self._cookies)
        for part in PARTS:
            said = await self._said(staged, part)
            await self._merge(part, said, coverage, removals)

    async def release(self, *, approve: bool) -> None:
        """Take away what is parked, or let it stay."""
        parked, self._snapshot.parked = self._snapshot.parked, {}
        self._snapshot.waiting.clear()
        coverage = Coverage(frozenset(), frozenset(), frozenset(), {}, alone=True)
        if not approve:
            self._cookies = {}  # what is gone is not told again by those who told it
        for part in PARTS if approve else ():
            said = Said()
            if part in parked:
                rows = [await self._place.tables.all(parked[part])]
                said = Said(rows=rows, count=parked[part].rows)
            await self._merge(part, said, coverage, "apply")

    async def published(self, summary: Summary) -> Published:
        """What readers are to see."""
        snapshot, known = self._snapshot, self._known
        number = next_number(known)
        unread = tuple(sorted(self._unread))
        made = await snapshot.finish(number, unread)
        end = visible_since(summary)
        held: Held | None = None
        if snapshot.parked:
            since = known.held.since if known and known.held else end
            losses = snapshot.waiting.losses()
            held = Held(operation=summary.operation, since=since, losses=losses)
            snapshot.count.held = losses.rows
        folder = f"{summary.connection}/{summary.operation}"
        fresh = Published(
            summary=snapshot.count.counted(summary, folder),
            number=number,
            stacks=snapshot.stacks,
            unread=unread,
            held=held,
            parked=snapshot.parked,
            cookies=self._cookies,
        )
        return succeeding(known, fresh, made)

    async def _merge(self, part: str, said: Said, coverage: Coverage, removals: Removals) -> None:
        # Links that go with an object are no losses of their own.
        parted = set[str]() if self._place.dry or part != "links" else self._snapshot.parted
        if parted and self._known is not None:
            spill = await dangling(self._place, self._known, parted)
            said = await _with(said, spill)
        stale = (self._stale, self._unread)
        await self._snapshot.take(part, said, Rules(coverage, removals, stale, parted))

    async def _said(self, staged: Staged, part: str) -> Said:
        """What was staged, but for sources that have been started again since."""
        tables = staged.runs.get(part, ())
        rows: list[Rows] = []
        for number, table in enumerate(tables):
            dropped = {by for by, since in staged.since.items() if number < since.get(part, 0)}
            cursor = await self._place.tables.all(table)
            rows.append(Without(cursor, dropped) if dropped else cursor)
        vouches = staged.says.get(part, {})
        count = sum(table.rows for table in tables)
        if part == "accounts":
            return Said(rows, count, vouches, listed=_listed(staged, rows))
        return Said(rows, count, vouches, plain=_plain(staged, part, rows))


def _listed(staged: Staged, rows: Sequence[Rows]) -> Runs | None:
    """When one source listed users, all of them as they came, and no other vouches for any."""
    tables, contents = _contents(staged, "accounts")
    by = {each.by for each in contents if each.by}
    others = {other for each in contents for other in each.others}
    says = staged.says.get("accounts", {})
    if len(contents) < len(tables):
        return None  # an earlier build has staged some
    if len(by) != 1 or not by.isdisjoint(others) or any(says.get(other) for other in others):
        return None
    if any(isinstance(each, Without) for each in rows):
        return None
    counts = sum((each.counts for each in contents), Counts())
    return Runs(tables, by.pop(), counts, whole=all(each.whole for each in contents))


def _contents(staged: Staged, part: str) -> tuple[tuple[Table, ...], list[Contents]]:
    """The tables of a part, and what they have; of those of an earlier build nothing is known."""
    tables = staged.runs.get(part, ())
    return tables, [staged.contents[each.name] for each in tables if each.name in staged.contents]


def _plain(staged: Staged, part: str, rows: Sequence[Rows]) -> Plain | None:
    """When all of it is in one table, of one source, so that no id is in it twice."""
    tables, contents = _contents(staged, part)
    says = staged.says.get(part, {})
    if len(tables) != 1 or len(contents) != 1 or any(isinstance(each, Without) for each in rows):
        return None
    found = contents[0]
    alone = len(found.others) == 1 and all(says.get(by) for by in found.others)
    if not alone or not found.whole or found.others[0].endswith(CHOSEN):
        return None
    return Plain(tables[0], found.kinds)


async def _with(said: Said, tombstones: Spill) -> Said:
    rows = [*said.rows, *await tombstones.sorted()]
    return Said(rows=rows, count=said.count + tombstones.rows, vouches=said.vouches)
