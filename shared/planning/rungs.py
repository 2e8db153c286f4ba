"""The rungs that secrets have climbed, read from the audit history: the timeline of a rotation."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from shared.model.connection import Value


class Name(StrEnum):
    """A rung of the ladder of lifecycle.md; the last ones leave it."""

    REQUESTED = "requested"  # an emergency, by a person
    STOPPED = "sign-in-stopped"  # the service principal was disabled
    ALLOWED = "sign-in-allowed"  # and enabled again
    INTENDED = "intended"
    SHORTENED = "shortened"  # to what the tenant's policy allows
    ADDED = "added"
    STAGED = "staged"
    VERIFIED = "verified"
    PUBLISHED = "published"
    REMINDED = "reminded"
    ACKNOWLEDGED = "acknowledged"
    REFUSED = "retirement-refused"
    RETIRED = "retired"
    DISABLED = "version-disabled"  # of the vault, which held a removed secret
    ABANDONED = "abandoned"  # verification never succeeded: the former one stays
    REMOVED = "removed"  # nobody ever used it


ROWS = {
    "emergency.requested": Name.REQUESTED,
    "principal.disabled": Name.STOPPED,
    "principal.enabled": Name.ALLOWED,
    "secret.intended": Name.INTENDED,
    "secret.shortened": Name.SHORTENED,
    "secret.added": Name.ADDED,
    "secret.staged": Name.STAGED,
    "secret.verified": Name.VERIFIED,
    "secret.published": Name.PUBLISHED,
    "handover.reminded": Name.REMINDED,
    "handover.acknowledged": Name.ACKNOWLEDGED,
    "secret.retirement-refused": Name.REFUSED,
    "secret.retired": Name.RETIRED,
    "vault.disabled": Name.DISABLED,
    "secret.abandoned": Name.ABANDONED,
    "secret.removed": Name.REMOVED,
}
"""Rows of the history that are rungs."""

SHOWN = (
    "name",
    "ends",
    "version",
    "by",
    "note",
    "reason",
    "code",
    "allowed_days",
    "why_refused",
    "percent",
)
"""What a row may tell besides the key id and why; none of it is a value of a secret."""


class Rung(Value, frozen=True, omit_defaults=False):
    """One rung: which secret reached it, when, and why."""

    name: Name
    at: datetime
    key_id: str  # empty before there is a secret
    operation: str
    why: str
    detail: str


def rungs(rows: Iterable[Mapping[str, Any]], operation: str = "") -> tuple[Rung, ...]:
    """The timeline, oldest first; that of one *operation* has also what became of its secrets.

    *rows* are the connection's history. An operation's timeline holds what it did itself, what
    others did to the secret that it published, and the end of the one that it replaced.
    """
    told = [row for row in rows if row.get("what") in ROWS]
    if operation:
        keys, versions = _of(told, operation)
        told = [
            row
            for row in told
            if row.get("operation") == operation
            or row.get("key_id") in keys
            or row.get("version") in versions
        ]
    return tuple(sorted(map(_rung, told), key=lambda rung: rung.at))


def _of(rows: Iterable[Mapping[str, Any]], operation: str) -> tuple[set[Any], set[Any]]:
    """Key ids of what the operation made and replaced, and the vault version that it published."""
    keys: set[Any] = set()
    versions: set[Any] = set()
    for row in rows:
        if row.get("operation") == operation:
            keys |= {row.get("key_id"), row.get("previous")}
            versions.add(row.get("version"))
    return keys - {None, ""}, versions - {None, ""}


def _rung(row: Mapping[str, Any]) -> Rung:
    shown = [f"{key} {row[key]}" for key in SHOWN if row.get(key)]
    return Rung(
        name=ROWS[row["what"]],
        at=datetime.fromisoformat(str(row["at"])),
        key_id=str(row.get("key_id") or ""),
        operation=str(row.get("operation") or ""),
        why=str(row.get("why") or ""),
        detail=", ".join(shown),
    )
