"""Which snapshot is published, and the numbered changes that led to it."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec

from shared.model.accounts import Summary
from shared.model.connection import Value
from shared.model.scan import Held

KEPT = 1000
"""Published snapshots with changes that can be asked for: ten days of scans each 15 minutes."""

READ = timedelta(days=1)
"""That a replaced table stays: somebody may be reading it."""

OVERLAYS = 8
"""Tables of changes upon a base; more of them are merged into one."""

SHARE = 10
"""The base is written anew when the changes upon it are more than one in so many of its rows."""

ALL_ROWS = 10**9


class Position(Value, frozen=True, order=True):
    """A place in the changes: all of one snapshot (``12``), or its first rows (``12.5``)."""

    number: int = 0
    row: int = ALL_ROWS

    def follows(self, other: "Position") -> bool:
        return (self.number, self.row) > (other.number, other.row)

    def __str__(self) -> str:
        return str(self.number) if self.row == ALL_ROWS else f"{self.number}.{self.row}"


class Latest(Value, frozen=True):
    """The snapshot that readers see."""

    summary: Summary
    position: Position  # the end of its changes


class Table(Value, frozen=True):
    """A blob of rows, written once; `shared.adapters.tables` knows what is in it."""

    name: str
    rows: int
    size: int  # bytes
    index: int  # where in it the index begins


class Stack(Value, frozen=True):
    """Tables of one part of a snapshot: a base and what has changed of it since, newest last."""

    tables: tuple[Table, ...] = ()
    vouchers: tuple[str, ...] = ()  # families of sources that said anything of its rows

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.tables)

    @property
    def merges_from(self) -> int:
        """The first of its tables that are to be merged into one; how many there are, if none."""
        base, *overlays = self.tables or (None,)
        if base is None or not overlays:
            return len(self.tables)
        if sum(table.rows for table in overlays) * SHARE > base.rows:
            return 0
        return 1 if len(overlays) > OVERLAYS else len(self.tables)


class Made(Value, frozen=True):
    """The changes that a snapshot made: a table of them, and tables whose rows are all new."""

    number: int
    file: Table | None = None
    whole: tuple[tuple[str, Table], ...] = ()  # part of the snapshot, and its rows
    unread: tuple[str, ...] = ()  # sources whose rows were stale then

    @property
    def tables(self) -> tuple[Table, ...]:
        return (*([self.file] if self.file else ()), *(table for _, table in self.whole))


class Published(Value, frozen=True):
    """What readers see: one blob, so that snapshot, changes and cookies move as one."""

    summary: Summary
    number: int  # counts published snapshots
    stacks: dict[str, Stack] = msgspec.field(default_factory=dict)
    unread: tuple[str, ...] = ()  # sources whose rows are stale
    held: Held | None = None
    parked: dict[str, Table] = msgspec.field(default_factory=dict)  # rows that are held, by part
    cookies: dict[str, str] = msgspec.field(default_factory=dict)
    made: tuple[Made, ...] = ()
    forgotten: int = 0  # the newest number whose changes cannot be asked for any more
    replaced: dict[str, datetime] = msgspec.field(default_factory=dict)  # tables no longer needed
    swept: datetime | None = None  # when tables were looked for that nobody names

    def stack(self, name: str) -> Stack:
        return self.stacks.get(name, Stack())

    def tables(self) -> frozenset[str]:
        """Names of the tables that somebody may ask for."""
        found = [*self.parked.values()]
        for stack in self.stacks.values():
            found += stack.tables
        for made in self.made:
            found += made.tables
        return frozenset(table.name for table in found)

    def expired(self, now: datetime) -> tuple[str, ...]:
        """Tables that nobody reads any more."""
        return tuple(name for name, since in self.replaced.items() if now - since > READ)

    @property
    def position(self) -> Position:
        return Position(number=self.number)

    def since(self, after: Position) -> Iterator[Made]:
        """Raises LookupError when changes after *after* are no longer, or not yet, known."""
        if after.number > self.number or (after.number < self.forgotten):
            raise LookupError(f"changes after {after}")
        return (made for made in self.made if made.number >= after.number)


def succeeding(known: Published | None, fresh: Published, made: Made | None) -> Published:
    """*fresh* as the successor of *known*, with the changes that led to it."""
    changes = (*(known.made if known else ()), *([made] if made else ()))
    dropped = changes[:-KEPT]
    kept = msgspec.structs.replace(
        fresh,
        made=changes[-KEPT:],
        forgotten=dropped[-1].number if dropped else known.forgotten if known else 0,
    )
    if known is None:
        return kept
    now = visible_since(fresh.summary)
    gone = dict.fromkeys(known.expired(now))
    replaced = {name: since for name, since in known.replaced.items() if name not in gone}
    replaced |= dict.fromkeys(sorted(known.tables() - kept.tables()), now)
    return msgspec.structs.replace(kept, replaced=replaced)


def next_number(known: Published | None) -> int:
    return known.number + 1 if known else 1


def visible_since(summary: Summary) -> datetime:
    """When the snapshot of a run was published."""
    return summary.finished or summary.published or summary.started


def is_repeated(known: Published | None, summary: Summary) -> bool:
    """Whether what is published is what *summary* would publish: an operation does so once.

    Or twice, when its accounts are shown before a report is read to its end.
    """
    if known is None or known.summary.operation != summary.operation:
        return False
    return known.summary.finished is not None or summary.finished is None


def is_before(summary: Summary, operation: str) -> bool:
    """Whether it has a snapshot that *operation* has not made: what that is compared with."""
    return bool(summary.snapshot) and summary.operation != operation


def decided(summary: Summary, now: datetime) -> Summary:
    """The summary of the latest run after a person's word about what it held."""
    state = summary.state if summary.finished else "partial"  # it died while a report was read
    return msgspec.structs.replace(summary, state=state, finished=now)


def as_seen(summary: Summary, latest: Summary | None) -> Summary:
    """A summary whose snapshot was stored but not published yet is still running.

    One whose accounts are shown before it is over has their counts.
    """
    early = bool(summary.snapshot) and (
        latest is None or visible_since(summary) > visible_since(latest)
    )
    if latest is not None and latest.operation == summary.operation and latest.finished is None:
        return msgspec.structs.replace(
            latest,
            state="running" if early else summary.state,
            finished=None if early else summary.finished,
            why=summary.why,
            sources=summary.sources,
            more_sources=summary.more_sources,
            moved=summary.moved,
            slowed=summary.slowed,
            waited=summary.waited,
        )
    if not early:
        return summary
    return Summary(
        operation=summary.operation,
        connection=summary.connection,
        state="running",
        mode=summary.mode,
        started=summary.started,
    )
