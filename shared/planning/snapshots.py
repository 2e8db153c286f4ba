"""Which snapshot is published, and the numbered changes that led to it."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

import msgspec

from shared.model.accounts import Summary
from shared.model.connection import Value

KEPT = 1000
"""Published snapshots with changes that can be asked for: ten days of scans each 15 minutes."""

READ = timedelta(days=1)
"""That a replaced file stays: somebody may be reading it."""

ALL_ROWS = 10**9


class Position(Value, frozen=True, order=True):
    """A place in the changes: all of one snapshot (``12``), or its first rows (``12.5``)."""

    number: int = 0
    row: int = ALL_ROWS

    def follows(self, other: "Position") -> bool:
        return (self.number, self.row) > (other.number, other.row)

    def __str__(self) -> str:
        return str(self.number) if self.row == ALL_ROWS else f"{self.number}.{self.row}"


class Made(Value, frozen=True):
    """A file of changes."""

    number: int
    file: str


class Published(Value, frozen=True):
    """What readers see: one blob, so that snapshot, changes and cookies move as one."""

    summary: Summary
    files: dict[str, str]  # accounts | entities | links: blob, empty when there are none
    number: int  # counts published snapshots
    cookies: dict[str, str] = msgspec.field(default_factory=dict)
    made: tuple[Made, ...] = ()
    forgotten: int = 0  # the newest number whose changes cannot be asked for any more
    replaced: dict[str, datetime] = msgspec.field(default_factory=dict)  # files no longer needed

    def expired(self, now: datetime) -> tuple[str, ...]:
        """Files that nobody reads any more."""
        return tuple(file for file, since in self.replaced.items() if now - since > READ)

    @property
    def position(self) -> Position:
        return Position(number=self.number)

    def since(self, after: Position) -> Iterator[Made]:
        """Raises LookupError when changes after *after* are no longer, or not yet, known."""
        if after.number > self.number or (after.number < self.forgotten):
            raise LookupError(f"changes after {after}")
        return (made for made in self.made if made.number >= after.number)


def published(
    known: Published | None, summary: Summary, files: Mapping[str, str], cookies: Mapping[str, str]
) -> Published:
    """The successor of *known*."""
    number = known.number + 1 if known else 1
    made = known.made if known else ()
    if summary.changes:
        file = f"{summary.connection}/{summary.operation}.changes.ndjson.gz"
        made = (*made, Made(number=number, file=file))
    dropped = made[:-KEPT]
    old = [file for file in known.files.values() if file] if known else []
    unused = (*(file for file in old if file not in files.values()), *(m.file for m in dropped))
    now = summary.finished or summary.started
    replaced = dict(known.replaced) if known else {}
    for file in known.expired(now) if known else ():
        del replaced[file]
    return Published(
        summary=summary,
        files=dict(files),
        number=number,
        cookies=dict(cookies),
        made=made[-KEPT:],
        forgotten=dropped[-1].number if dropped else known.forgotten if known else 0,
        replaced=replaced | dict.fromkeys(unused, now),
    )


def as_seen(summary: Summary, latest: Summary | None) -> Summary:
    """A summary whose snapshot was stored but not published yet is still running."""
    unpublished = summary.finished is not None and (
        latest is None or latest.finished is None or summary.finished > latest.finished
    )
    if not (summary.snapshot and unpublished):
        return summary
    return Summary(
        operation=summary.operation,
        connection=summary.connection,
        state="running",
        mode=summary.mode,
        started=summary.started,
    )
