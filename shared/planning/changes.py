"""What a run learnt, applied to the snapshot before: the rows that stay, and what changed.

The changes come from comparing rows, never from what Graph calls a change: a replayed or
repeated item makes none, and a full read after an expired link loses none.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from msgspec.structs import replace

from shared.model.accounts import Account, Summary
from shared.model.entities import KINDS, USER, Change, Entity, Findings, Link, Row
from shared.planning.accounts import facts


@dataclass
class Patch:
    """New and removed rows by key; memory follows what changed, not what there is.

    Of a kind in `whole` everything is in the rows: what is not there is gone.
    """

    accounts: dict[str, Account] = field(default_factory=dict)
    entities: dict[str, Entity] = field(default_factory=dict)
    links: dict[str, Link] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)  # ids of objects and links
    whole: set[str] = field(default_factory=set)  # kinds of entities, with the links they have

    def take(self, found: Findings) -> None:
        """Add a page; pages come in Graph's order, which repeats items and sorts none."""
        for id_ in found.gone:
            self.accounts.pop(id_, None)
            self.entities.pop(id_, None)
            self.gone.add(id_)
        for row in found.rows:
            self.gone.discard(row.id)
            if isinstance(row, Account):
                self.accounts[row.id] = row
            else:
                self.entities[row.id] = row
        for link in found.unlinked:
            self.links.pop(link.id, None)
            self.gone.add(link.id)
        for link in found.links:
            self.gone.discard(link.id)
            self.links[link.id] = link

    def join(self, other: "Patch") -> None:
        self.accounts |= other.accounts
        self.entities |= other.entities
        self.links |= other.links
        self.gone |= other.gone
        self.whole |= other.whole

    def removes(self, before: Summary) -> bool:
        """Whether it may take away anything of the snapshot of *before*."""
        return bool(self.gone) or any(before.entities.get(kind) for kind in self.whole)

    def additions(self) -> "Patch":
        """The same without removals: what is doubted takes nothing away."""
        return Patch(accounts=self.accounts, entities=self.entities, links=self.links)


def exactly(accounts: Iterable[Account]) -> Patch:
    """These accounts and nothing else."""
    return Patch(accounts={account.id: account for account in accounts}, whole=set(KINDS))


class Section:
    """Applies a patch to one file of rows: first all rows before, then the rest."""

    def __init__(self, patch: Patch, rows: Mapping[str, Row]) -> None:
        self._patch, self._rows = patch, rows
        self._matched: set[str] = set()

    def see(self, before: Row) -> tuple[Row | None, Change | None]:
        """The row when it stays as it was, and its change; one that changed comes with the rest."""
        after = self._rows.get(before.id)
        if after is not None and not self._dangles(after):
            self._matched.add(before.id)
            differs = facts(before) != facts(after)
            return None, change("update", after) if differs else None
        if before.id in self._patch.gone or _kind(before) in self._patch.whole:
            if not isinstance(before, Link):
                self._patch.gone.add(before.id)  # what links to it goes too
            return None, change("delete", before)
        if self._dangles(before):
            return None, change("delete", before)
        return before, None

    def rest(self) -> Iterator[tuple[Row, Change | None]]:
        for row in self._rows.values():
            if not self._dangles(row):
                yield row, None if row.id in self._matched else change("insert", row)

    def _dangles(self, row: Row) -> bool:
        gone = self._patch.gone
        return isinstance(row, Link) and (row.source in gone or row.target in gone)


class Tally:
    """Counts a snapshot while it is written."""

    def __init__(self) -> None:
        self.rows: dict[str, int] = {}
        self.links = self.guests = self.disabled = self.changes = 0
        self._commands: dict[str, int] = {}

    def keep(self, row: Row) -> None:
        if isinstance(row, Link):
            self.links += 1
            return
        self.rows[_kind(row)] = self.rows.get(_kind(row), 0) + 1
        if isinstance(row, Account):
            self.guests += row.guest
            self.disabled += not row.enabled

    def differ(self, change: Change) -> None:
        self.changes += 1
        if change.kind == USER:
            self._commands[change.command] = self._commands.get(change.command, 0) + 1

    def carry(self, before: Summary, section: str) -> None:
        """Count a section that stays as it was."""
        if section == "links":
            self.links = before.links
        elif section == "entities":
            self.rows |= {kind: n for kind, n in before.entities.items() if kind != USER}
        else:
            self.rows[USER] = before.accounts
            self.guests, self.disabled = before.guests, before.disabled

    def counted(self, summary: Summary, snapshot: str) -> Summary:
        accounts = self.rows.get(USER, 0)
        added, changed = self._commands.get("insert", 0), self._commands.get("update", 0)
        return replace(
            summary,
            snapshot=snapshot,
            accounts=accounts,
            guests=self.guests,
            disabled=self.disabled,
            added=added,
            changed=changed,
            removed=self._commands.get("delete", 0),
            unchanged=accounts - added - changed,
            entities=dict(sorted(self.rows.items())),
            links=self.links,
            changes=self.changes,
            sources=tuple(
                replace(source, accounts=self.rows.get(source.id, 0))
                if source.kind == "entity" and source.status == "complete"
                else source
                for source in summary.sources
            ),
        )


def change(command: str, row: Row) -> Change:
    kind = row.kind if isinstance(row, Link) else _kind(row)
    return Change(command=command, kind=kind, id=row.id, row=msgspec.Raw(_encoder.encode(row)))


_encoder: Any = msgspec.json.Encoder()


def _kind(row: Row) -> str:
    """Kind of entity; of a link, the kind of its source, with which it is read."""
    if isinstance(row, Account):
        return USER
    return row.of if isinstance(row, Link) else row.kind
