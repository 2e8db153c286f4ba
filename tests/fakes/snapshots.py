"""The snapshots of discovery in memory."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field

from shared.model.accounts import Account, Summary
from shared.model.entities import Change, Entity, Link, Row
from shared.planning.changes import Patch, Section, Tally, exactly
from shared.planning.snapshots import Position, Published, published
from tests.fakes.faults import Faults, fallible

SECTIONS = ("accounts", "entities", "links")


@dataclass
class Snapshots:
    """What one connection has: the rows of the latest snapshot, and every file of changes."""

    head: Published | None = None
    rows: dict[str, list[Row]] = field(default_factory=lambda: {name: [] for name in SECTIONS})
    changes: dict[str, list[Change]] = field(default_factory=dict)


class FakeAccountStore:
    """Implements ``ports.AccountStore``."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self._summaries: dict[str, dict[str, Summary]] = {}  # connection -> operation -> summary
        self._known: dict[str, Snapshots] = {}

    async def save(self, summary: Summary, accounts: Sequence[Account]) -> Summary:
        return await self.apply(summary, exactly(accounts), {})

    @fallible("account_store.apply")
    async def apply(self, summary: Summary, patch: Patch, cookies: Mapping[str, str]) -> Summary:
        known = self._known.setdefault(summary.connection, Snapshots())
        if known.head is not None and known.head.summary.operation == summary.operation:
            return known.head.summary
        tally, changes = Tally(), list[Change]()
        for name in SECTIONS:
            section = Section(patch, getattr(patch, name))
            seen = [section.see(row) for row in known.rows[name]]
            found = [*seen, *section.rest()]
            known.rows[name] = [row for row, _ in found if row is not None]
            changes += [change for _, change in found if change is not None]
            for row in known.rows[name]:
                tally.keep(row)
        for change in changes:
            tally.differ(change)
        full = tally.counted(summary, f"{summary.connection}/{summary.operation}")
        known.head = published(known.head, full, {}, cookies)
        if changes:
            known.changes[known.head.made[-1].file] = changes
        self._note(full)
        return full

    @fallible("account_store.note")
    async def note(self, summary: Summary) -> None:
        self._note(summary)

    @fallible("account_store.summaries")
    async def summaries(self, connection: str) -> list[Summary]:
        found = self._summaries.get(connection, {}).values()
        return sorted(found, key=lambda s: s.started, reverse=True)

    async def accounts(self, connection: str) -> AsyncIterator[Account]:
        for row in self._of(connection).rows["accounts"]:
            assert isinstance(row, Account)
            yield row

    async def entities(self, connection: str) -> AsyncIterator[Entity]:
        for row in self._of(connection).rows["entities"]:
            assert isinstance(row, Entity)
            yield row

    async def links(self, connection: str) -> AsyncIterator[Link]:
        for row in self._of(connection).rows["links"]:
            assert isinstance(row, Link)
            yield row

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
            for row, change in enumerate(known.changes[made.file], start=1):
                place = Position(number=made.number, row=row)
                if place.follows(after):
                    yield place, change

    def _of(self, connection: str) -> Snapshots:
        return self._known.get(connection, Snapshots())

    def _note(self, summary: Summary) -> None:
        self._summaries.setdefault(summary.connection, {})[summary.operation] = summary
