"""The counts of a snapshot, from those of the one before and each row that differs."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from shared.model.accounts import Account, Summary
from shared.model.entities import Change, Link, Row
from shared.planning.accounts import differing, facts


class Count:
    """Told of every row that is inserted, updated or deleted; the others cost nothing."""

    def __init__(self, before: Summary | None) -> None:
        self.rows: dict[str, int] = dict(before.entities) if before else {}
        self.accounts = before.accounts if before else 0
        self.links = before.links if before else 0
        self.guests = before.guests if before else 0
        self.disabled = before.disabled if before else 0
        self.changes = self.held = self.for_good = 0
        self.attributes: dict[str, int] = {}
        self._commands: dict[str, int] = {}

    def differ(self, before: Row | None, after: Row | None) -> Change | None:
        """The change, unless only what nobody asked to hear of differs."""
        self._add(before, -1)
        self._add(after, 1)
        made = changed(before, after)
        if made is None:
            return None
        self.changes += 1
        if isinstance(before or after, Account):
            self._commands[made.command] = self._commands.get(made.command, 0) + 1
        if isinstance(before, Account) and isinstance(after, Account):
            for name in differing(before, after):
                self.attributes[name] = self.attributes.get(name, 0) + 1
        return made

    def inserted(
        self, kinds: Mapping[str, int], *, accounts: int = 0, guests: int = 0, disabled: int = 0
    ) -> None:
        """Many rows at once where none were: of accounts or entities."""
        for kind, rows in kinds.items():
            self.rows[kind] = self.rows.get(kind, 0) + rows
            self.changes += rows
        self.accounts += accounts
        self.guests += guests
        self.disabled += disabled
        if accounts:
            self._commands["insert"] = self._commands.get("insert", 0) + accounts

    def linked(self, links: int) -> None:
        """Many links at once where none were."""
        self.links += links
        self.changes += links

    def counted(self, summary: Summary, snapshot: str) -> Summary:
        added, updated = self._commands.get("insert", 0), self._commands.get("update", 0)
        return replace(
            summary,
            snapshot=snapshot,
            accounts=self.accounts,
            guests=self.guests,
            disabled=self.disabled,
            added=added,
            changed=updated,
            removed=self._commands.get("delete", 0),
            unchanged=self.accounts - added - updated,
            changed_attributes=dict(sorted(self.attributes.items())),
            removed_for_good=self.for_good,
            held=self.held,
            entities={kind: rows for kind, rows in sorted(self.rows.items()) if rows},
            links=self.links,
            changes=self.changes,
            sources=tuple(
                replace(source, accounts=self.rows.get(source.id, 0))
                if source.kind == "entity" and source.status == "complete"
                else source
                for source in summary.sources
            ),
        )

    def _add(self, row: Row | None, sign: int) -> None:
        if row is None:
            return
        if isinstance(row, Link):
            self.links += sign
            return
        self.rows[row.kind] = self.rows.get(row.kind, 0) + sign
        if isinstance(row, Account):
            self.accounts += sign
            self.guests += sign * row.guest
            self.disabled += sign * (not row.enabled)


def together(shown: Summary, rest: Summary) -> Summary:
    """The counts of a run whose accounts were *shown* before it was over."""
    attributes = Counter(shown.changed_attributes) + Counter(rest.changed_attributes)
    added, updated = shown.added + rest.added, shown.changed + rest.changed
    return replace(
        rest,
        published=shown.published,
        added=added,
        changed=updated,
        removed=shown.removed + rest.removed,
        removed_for_good=shown.removed_for_good + rest.removed_for_good,
        unchanged=max(rest.accounts - added - updated, 0),
        changed_attributes=dict(sorted(attributes.items())),
    )


def changed(before: Row | None, after: Row | None) -> Change | None:
    """How *after* differs from *before*, by what counts as a change of it."""
    if after is None:
        return _change("delete", before) if before is not None else None
    if before is None:
        return _change("insert", after)
    return _change("update", after) if facts(before) != facts(after) else None


def _change(command: str, row: Row) -> Change:
    encoded = msgspec.Raw(_encoder.encode(row))
    return Change(command=command, kind=row.kind, id=row.id, row=encoded)


_encoder: Any = msgspec.json.Encoder()
