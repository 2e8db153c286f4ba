"""The snapshots of discovery in memory."""

from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import datetime

from shared.model.accounts import Account, Summary
from shared.model.entities import Change, Entity, Link, Row
from shared.model.scan import Held, Losses, Progress, Removals
from shared.planning.counting import Count, together
from shared.planning.merging import Coverage, joined, key_of_link, next_cookies
from shared.planning.snapshots import (
    Latest,
    Made,
    Position,
    Published,
    as_seen,
    decided,
    is_before,
    is_repeated,
    next_number,
    succeeding,
)
from tests.fakes import snapshot_merging as merging
from tests.fakes.faults import Faults, fallible
from tests.fakes.snapshot_merging import Snapshots
from tests.fakes.snapshot_staging import SECTIONS, FakeStaging, Staged, nothing


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
        return merging.losses(known, merging.settled(known, staged, "apply"))

    @fallible("account_store.publish")
    async def publish(self, summary: Summary, *, removals: Removals) -> Summary:
        known = self._known.setdefault(summary.connection, Snapshots())
        if known.head is not None and is_repeated(known.head, summary):
            return known.head.summary
        staged = self._stage_of(summary.connection, summary.operation)
        if staged.progress is None:
            raise ValueError(f"nothing of {summary.operation} was staged")
        found = merging.settled(known, staged, removals)
        unread = Coverage.of(staged.progress, {}).unread
        merging.drop_dangling(known, found, merging.told_gone(staged, unread))
        count, changes = merging.compared(known, found, unread, staged.rows)
        merging.park(known, summary, found)
        count.held = known.held.losses.rows if known.held else 0
        known.unread = unread
        cookies = next_cookies(staged.progress, known.head.cookies if known.head else {})
        before = known.head.summary if known.head else None
        shown = before if before and before.operation == summary.operation else None
        done = self._published(known, summary, count, changes, cookies, shown)
        if done.finished is not None:
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
                key: merging.without(known.rows[name][key], vouchers if approve else frozenset())
                for key, vouchers in known.parked[name].items()
            }
            for name in SECTIONS
        }
        if approve:
            merging.drop_dangling(known, found)
        count, changes = merging.compared(known, found, known.unread, nothing())
        known.parked = {name: {} for name in SECTIONS}
        known.held = None
        return self._published(
            known,
            decided(known.head.summary, now),
            count,
            changes,
            known.head.cookies if approve else {},
        )

    @fallible("account_store.note")
    async def note(self, summary: Summary) -> None:
        self._note(summary)

    @fallible("account_store.summaries")
    async def summaries(self, connection: str) -> list[Summary]:
        head = self._of(connection).head
        noted = self._summaries.get(connection, {}).values()
        found = [as_seen(summary, head.summary if head else None) for summary in noted]
        return sorted(found, key=lambda s: s.started, reverse=True)

    @fallible("account_store.recent")
    async def recent(self, connection: str, operation: str) -> list[Summary]:
        found = await self.summaries(connection)
        before = (at for at, run in enumerate(found) if is_before(run, operation))
        return found[: next(before, len(found)) + 1]

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

    async def latest(self, connection: str) -> Latest | None:
        head = self._of(connection).head
        return Latest(summary=head.summary, position=head.position) if head else None

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

    async def made_by(
        self, connection: str, operation: str
    ) -> AsyncIterator[tuple[Position, Change]]:
        head = self._of(connection).head
        if head is not None and head.summary.operation == operation:
            async for found in self.changes(connection, Position(number=head.number - 1)):
                yield found

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
        shown: Summary | None = None,
    ) -> Summary:
        full = count.counted(summary, f"{summary.connection}/{summary.operation}")
        if shown is not None:
            full = together(shown, full)
        number = next_number(known.head)
        fresh = Published(summary=full, number=number, cookies=dict(cookies))
        known.head = succeeding(known.head, fresh, Made(number=number) if changes else None)
        known.changes[number] = changes
        self._note(full)
        return full
