"""The snapshots of discovery in memory."""

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from shared.errors import TryLater
from shared.model.accounts import Account, Summary
from shared.model.entities import Change, Entity, Findings, Link, Row
from shared.model.scan import Held, Losses, Progress, Removals, voucher
from shared.planning.counting import Count
from shared.planning.merging import (
    Coverage,
    Losing,
    Settled,
    again,
    joined,
    key_of_link,
    next_cookies,
    settle,
)
from shared.planning.snapshots import Made, Position, Published, next_number, succeeding
from tests.fakes.faults import Faults, fallible

SECTIONS = ("accounts", "entities", "links")

Said = dict[str, dict[str, Any]]
"""By key and voucher: a row, or one of the two marks of a row that is gone."""

GONE, FOR_GOOD = None, False


def nothing() -> dict[str, Said]:
    return {name: {} for name in SECTIONS}


@dataclass
class Snapshots:
    """What one connection has: the rows of the latest snapshot, and the changes of each."""

    head: Published | None = None
    rows: dict[str, Said] = field(default_factory=nothing)
    parked: dict[str, dict[str, frozenset[str]]] = field(
        default_factory=lambda: {name: {} for name in SECTIONS}
    )
    held: Held | None = None
    unread: frozenset[str] = frozenset()
    changes: dict[int, list[Change]] = field(default_factory=dict)


@dataclass
class Staged:
    """What a run has staged until its last checkpoint."""

    progress: Progress | None = None
    rows: dict[str, Said] = field(default_factory=nothing)
    unread: frozenset[tuple[str, str]] = frozenset()  # voucher, object whose links it did not read
    checkpoints: int = 0


class FakeStaging:
    """Implements ``ports.Staging``."""

    def __init__(self, faults: Faults, kept: Staged) -> None:
        self.faults = faults
        self._kept, self._number = kept, kept.checkpoints
        self._unread = kept.unread
        self._rows = {
            section: {key: dict(said) for key, said in rows.items()}
            for section, rows in kept.rows.items()
        }
        self.progress = kept.progress

    @fallible("account_store.stage")
    async def stage(self, source_key: str, found: Findings) -> None:
        by = voucher(source_key)
        for id_ in found.gone:
            for section in ("accounts", "entities"):
                mark = FOR_GOOD if id_ in found.for_good else GONE
                self._rows[section].setdefault(id_, {})[by] = mark
        for row in found.rows:
            section = "accounts" if isinstance(row, Account) else "entities"
            said = self._rows[section].setdefault(row.id, {})
            said[by] = again(said[by], row) if said.get(by) else row
        for link in found.unlinked:
            self._rows["links"].setdefault(link.id, {})[by] = GONE
        for link in found.links:
            self._rows["links"].setdefault(link.id, {})[by] = link
        self._unread |= {(by, item.id) for item in found.unread}

    @fallible("account_store.restart")
    async def restart(self, source_key: str) -> None:
        for rows in self._rows.values():
            for said in rows.values():
                said.pop(voucher(source_key), None)
        self._unread = frozenset(item for item in self._unread if item[0] != voucher(source_key))

    @fallible("account_store.checkpoint")
    async def checkpoint(self, progress: Progress) -> None:
        if self._kept.checkpoints != self._number:
            raise TryLater("SNAPSHOT_CONFLICT", "Another attempt at this run went on meanwhile.")
        self._kept.progress = self.progress = progress
        self._kept.rows = {
            section: {key: dict(said) for key, said in rows.items()}
            for section, rows in self._rows.items()
        }
        self._kept.unread = self._unread
        self._kept.checkpoints = self._number = self._number + 1


class FakeAccountStore:
    """Implements ``ports.AccountStore``."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self._summaries: dict[str, dict[str, Summary]] = {}  # connection -> operation -> summary
        self._known: dict[str, Snapshots] = {}
        self._staged: dict[tuple[str, str], Staged] = {}

    @fallible("account_store.progress")
    async def progress(self, connection: str, operation: str) -> Progress | None:
        return self._stage_of(connection, operation).progress

    @fallible("account_store.staging")
    async def staging(self, connection: str, operation: str) -> FakeStaging:
        return FakeStaging(self.faults, self._stage_of(connection, operation))

    @fallible("account_store.losses")
    async def losses(self, connection: str, operation: str) -> Losses:
        staged = self._stage_of(connection, operation)
        if staged.progress is None:
            raise ValueError(f"nothing of {operation} was staged")
        known = self._of(connection)
        return _losses(known, _settled(known, staged, "apply"))

    @fallible("account_store.publish")
    async def publish(self, summary: Summary, *, removals: Removals) -> Summary:
        known = self._known.setdefault(summary.connection, Snapshots())
        if known.head is not None and known.head.summary.operation == summary.operation:
            return known.head.summary
        staged = self._stage_of(summary.connection, summary.operation)
        if staged.progress is None:
            raise ValueError(f"nothing of {summary.operation} was staged")
        found = _settled(known, staged, removals)
        _drop_dangling(known, found)
        unread = Coverage.of(staged.progress, {}).unread
        count, changes = _compared(known, found, unread, staged.rows)
        _park(known, summary, found)
        count.held = known.held.losses.rows if known.held else 0
        known.unread = unread
        cookies = next_cookies(staged.progress, known.head.cookies if known.head else {})
        done = self._published(known, summary, count, changes, cookies)
        self._staged.pop((summary.connection, summary.operation), None)
        return done

    @fallible("account_store.discard")
    async def discard(self, connection: str, operation: str) -> None:
        self._staged.pop((connection, operation), None)

    async def held(self, connection: str) -> Held | None:
        return self._of(connection).held

    async def held_rows(self, connection: str) -> AsyncIterator[Row]:
        known = self._of(connection)
        for section in SECTIONS:
            by_key = key_of_link if section == "links" else str
            for key in sorted(known.parked[section], key=by_key):
                row = joined(known.rows[section][key], known.unread)
                if row is not None:
                    yield row

    @fallible("account_store.release")
    async def release(self, connection: str, *, approve: bool, now: datetime) -> Summary | None:
        known = self._of(connection)
        if known.head is None or known.held is None:
            return None
        found = {
            name: {
                key: _without(known.rows[name][key], vouchers if approve else frozenset())
                for key, vouchers in known.parked[name].items()
            }
            for name in SECTIONS
        }
        if approve:
            _drop_dangling(known, found)
        count, changes = _compared(known, found, known.unread, nothing())
        known.parked = {name: {} for name in SECTIONS}
        known.held = None
        latest = known.head.summary
        return self._published(
            known,
            replace(latest, finished=now),
            count,
            changes,
            known.head.cookies if approve else {},
        )

    @fallible("account_store.note")
    async def note(self, summary: Summary) -> None:
        self._note(summary)

    @fallible("account_store.summaries")
    async def summaries(self, connection: str) -> list[Summary]:
        found = self._summaries.get(connection, {}).values()
        return sorted(found, key=lambda s: s.started, reverse=True)

    async def accounts(self, connection: str, after: str = "") -> AsyncIterator[Account]:
        for row in self._rows(connection, "accounts", after):
            assert isinstance(row, Account)
            yield row

    async def account(self, connection: str, id_: str) -> Account | None:
        row = self._row(connection, "accounts", id_)
        assert row is None or isinstance(row, Account)
        return row

    async def entities(self, connection: str, after: str = "") -> AsyncIterator[Entity]:
        for row in self._rows(connection, "entities", after):
            assert isinstance(row, Entity)
            yield row

    async def entity(self, connection: str, id_: str) -> Entity | None:
        row = self._row(connection, "entities", id_)
        assert row is None or isinstance(row, Entity)
        return row

    async def links(self, connection: str, after: str = "") -> AsyncIterator[Link]:
        for row in self._rows(connection, "links", after):
            assert isinstance(row, Link)
            yield row

    async def links_of(self, connection: str, kind: str, source: str) -> AsyncIterator[Link]:
        async for link in self.links(connection):
            if (link.kind, link.source) == (kind, source):
                yield link

    async def links_to(self, connection: str, target: str) -> AsyncIterator[Link]:
        async for link in self.links(connection):
            if link.target == target:
                yield link

    @fallible("account_store.cookies")
    async def cookies(self, connection: str) -> dict[str, str]:
        head = self._of(connection).head
        return head.cookies if head else {}

    async def position(self, connection: str) -> Position:
        head = self._of(connection).head
        return head.position if head else Position()

    async def changes(
        self, connection: str, after: Position
    ) -> AsyncIterator[tuple[Position, Change]]:
        known = self._of(connection)
        for made in known.head.since(after) if known.head else ():
            for row, change in enumerate(known.changes[made.number], start=1):
                place = Position(number=made.number, row=row)
                if place.follows(after):
                    yield place, change

    def _of(self, connection: str) -> Snapshots:
        return self._known.get(connection, Snapshots())

    def _stage_of(self, connection: str, operation: str) -> Staged:
        return self._staged.setdefault((connection, operation), Staged())

    def _rows(self, connection: str, section: str, after: str) -> Iterable[Row]:
        known = self._of(connection)
        by_key = key_of_link if section == "links" else str
        for key in sorted(known.rows[section], key=by_key):
            if by_key(key) > (by_key(after) if after else ""):
                row = joined(known.rows[section][key], known.unread)
                if row is not None:
                    yield row

    def _row(self, connection: str, section: str, key: str) -> Row | None:
        known = self._of(connection)
        said = known.rows[section].get(key)
        return joined(said or {}, known.unread)

    def _note(self, summary: Summary) -> None:
        self._summaries.setdefault(summary.connection, {})[summary.operation] = summary

    def _published(
        self,
        known: Snapshots,
        summary: Summary,
        count: Count,
        changes: list[Change],
        cookies: Mapping[str, str],
    ) -> Summary:
        full = count.counted(summary, f"{summary.connection}/{summary.operation}")
        number = next_number(known.head)
        fresh = Published(summary=full, number=number, cookies=dict(cookies))
        known.head = succeeding(known.head, fresh, Made(number=number) if changes else None)
        known.changes[number] = changes
        self._note(full)
        return full


Found = dict[str, dict[str, Settled[Any]]]
"""What becomes of each key, by section."""


def _settled(known: Snapshots, staged: Staged, removals: Removals) -> Found:
    assert staged.progress is not None
    gaps: dict[str, frozenset[str]] = {}
    for by, object_ in staged.unread:
        gaps[object_] = gaps.get(object_, frozenset()) | {by}
    coverage = Coverage.of(staged.progress, gaps)
    found: Found = {}
    for name in SECTIONS:
        rows, fresh = known.rows[name], staged.rows[name]
        found[name] = {
            key: settle(
                rows.get(key, {}),
                {by: row or None for by, row in fresh.get(key, {}).items()},
                coverage.at(key.split("/")[1]) if name == "links" else coverage,
                removals=removals,
                held=known.parked[name].get(key, ()),
            )
            for key in sorted(rows.keys() | fresh.keys())
        }
    return found


def _park(known: Snapshots, summary: Summary, found: Found) -> None:
    """Keep what is held for a person's word; what is held already keeps its time."""
    known.parked = {
        name: {key: now.held for key, now in found[name].items() if now.held} for name in SECTIONS
    }
    earlier = known.held
    known.held = None
    if any(known.parked.values()):
        known.held = Held(
            operation=summary.operation,
            since=earlier.since if earlier else summary.finished or summary.started,
            losses=_waiting(known),
        )


def _drop_dangling(known: Snapshots, found: Found) -> None:
    """A link goes with the object at either end, also one that was read in the same run."""
    parted = {
        key
        for name in ("accounts", "entities")
        for key, now in found[name].items()
        if now.lost and joined(known.rows[name][key]) and not joined(now.after)
    }
    for key in found["links"].keys() | known.rows["links"].keys():
        before = known.rows["links"].get(key, {})
        now = found["links"].get(key) or Settled(after=before, lost=frozenset(), held=frozenset())
        link = next(iter({**before, **now.after}.values()), None)
        if now.after and link is not None and not parted.isdisjoint((link.source, link.target)):
            found["links"][key] = Settled(
                after={}, lost=frozenset(before) | now.lost, held=frozenset()
            )


def _compared(
    known: Snapshots, found: Found, unread: frozenset[str], staged: Mapping[str, Said]
) -> tuple[Count, list[Change]]:
    """Make *found* the rows, and answer what that changes."""
    count, changes = Count(known.head.summary if known.head else None), list[Change]()
    for name in SECTIONS:
        for key, now in sorted(found[name].items()):
            said = known.rows[name].get(key)
            made = count.differ(joined(said or {}, known.unread), joined(now.after, unread))
            changes += [made] if made else []
            if name == "accounts" and made and made.command == "delete":
                count.for_good += FOR_GOOD in staged[name].get(key, {}).values()
            known.rows[name].pop(key, None)
            if now.after:
                known.rows[name][key] = now.after
    return count, changes


def _losses(known: Snapshots, found: Found) -> Losses:
    """Of a run whose removals are applied."""
    lose = Losing()
    for name in SECTIONS:
        for key, now in found[name].items():
            lose.lost(joined(known.rows[name].get(key, {})), joined(now.after), now.lost)
    return lose.losses()


def _waiting(known: Snapshots) -> Losses:
    """Of what is parked."""
    lose = Losing()
    for name in SECTIONS:
        for key, vouchers in known.parked[name].items():
            said = known.rows[name][key]
            lose.lost(joined(said), joined(_without(said, vouchers).after), vouchers)
    return lose.losses()


def _without(said: dict[str, Any], vouchers: frozenset[str]) -> Settled[Any]:
    after = {by: row for by, row in said.items() if by not in vouchers}
    return Settled(after=after, lost=frozenset(said) - frozenset(after), held=frozenset())
