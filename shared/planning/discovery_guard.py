"""Sudden losses: held until a person says that they are right.

An answer of 200 with too few rows has made other tools suspend whole directories; nothing in
such an answer shows that it is wrong, and the next one may be as wrong. Changes of delta queries
are weighed like everything else.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from shared.model.accounts import Summary
from shared.model.connection import Value
from shared.model.entities import USER
from shared.model.scan import Losses, SourceProgress

HELD = "REMOVALS_HELD"

ENTITY = "entity"

LEAST = 10
"""Fewer rows alarm nobody, whatever their share."""


class Limit(Value, frozen=True):
    """What a run may take away without asking; Entra Connect Sync stops at 500 objects too."""

    rows: int = 500
    percent: int = 50

    def exceeded(self, lost: int, before: int) -> bool:
        return lost > self.rows or (lost >= LEAST and self._is_share(lost, before))

    def shrunk(self, lost: int, before: int) -> bool:
        """Of rows that come and go by the thousand, such as links: only by their share."""
        return lost >= LEAST and self._is_share(lost, before)

    def _is_share(self, lost: int, before: int) -> bool:
        return lost * 100 > before * self.percent


def limit(inputs: Mapping[str, Any]) -> Limit:
    """As the connection's inputs ``removal_limit`` and ``removal_percent`` say."""
    usual = Limit()
    return Limit(
        rows=int(inputs.get("removal_limit") or usual.rows),
        percent=int(inputs.get("removal_percent") or usual.percent),
    )


def why_held(
    losses: Losses,
    read: Sequence[SourceProgress],
    earlier: Sequence[Summary],
    allowed: Limit,
    *,
    same: bool,
) -> str:
    """Why what a run would take away waits for a person; empty when it may go.

    *earlier* runs come newest first. Unless the last of them searched the *same*, a person has
    asked for other rows, and only what both read is weighed.
    """
    before = next((summary for summary in earlier if summary.snapshot), None)
    if before is None:
        return ""
    found = [*_chosen(losses, read, allowed), *_empty(read, before)]
    kinds = {source.id for source in read if source.kind == ENTITY}
    if (same or USER in kinds) and allowed.exceeded(losses.accounts, before.accounts):
        found.append(f"{losses.accounts} of {before.accounts} accounts would go")
    for kind, lost in sorted(losses.entities.items()):
        known = before.entities.get(kind, 0)
        if (same or kind in kinds) and allowed.exceeded(lost, known):
            found.append(f"{lost} of {known} of kind {kind} would go")
    if same and allowed.shrunk(losses.links, before.links):
        found.append(f"{losses.links} of {before.links} links would go")
    return "; ".join(found)


def _chosen(losses: Losses, read: Iterable[SourceProgress], allowed: Limit) -> Iterable[str]:
    """Chosen groups and roles that lost most of those in them: many may be in others too."""
    for source in read:
        lost = losses.sources.get(source.voucher, 0)
        known = losses.before.get(source.voucher, lost)
        if source.kind != ENTITY and allowed.shrunk(lost, known):
            yield f"{source.name} would lose {lost} of {known}"


def _empty(read: Iterable[SourceProgress], before: Summary) -> Iterable[str]:
    """There is no tenant without a user: somebody asks."""
    for source in read:
        users = source.kind == ENTITY and source.id == USER and before.accounts
        if users and source.full and source.state == "complete" and not source.rows:
            yield "the list of all users came back empty"
