"""Which secret may be removed after a rotation, and the guards that keep the served one."""

from collections.abc import Sequence
from datetime import datetime

from shared.model.connection import Credential, Value
from shared.model.credential import HeldSecret, StoredSecret
from shared.planning.credentials import PREFIX, SETTLE

OVERLAP = "the overlap is not over"
"""Why a secret stays that nothing else keeps."""


class Retire(Value, frozen=True):
    """Remove the previous secret by its key id, never by position or date."""

    key_id: str


class Nothing(Value, frozen=True):
    """Nothing is left to retire."""


class NotYet(Value, frozen=True):
    """A guard says no for now."""

    why: str


Action = Retire | Nothing | NotYet


def plan_retirement(
    credential: Credential,
    *,
    held: Sequence[HeldSecret],
    served: StoredSecret | None,
    now: datetime,
    leftovers: frozenset[str] = frozenset(),
) -> Action:
    """All guards must hold; *held* and *served* come from complete reads of this delivery.

    *leftovers* are what other operations of ours made: those older than the published secret
    were replaced by it, too, or by one that it has replaced since.
    """
    old = _next(credential, held, leftovers)
    if old is None:
        return Nothing()
    if served is None or served.key_id != credential.key_id:
        return NotYet("another secret is served than the one published last")
    if old.key_id == served.key_id:
        return NotYet("it is the one that is served")
    if not any(s.key_id == served.key_id and s.ends > now for s in held):
        return NotYet("the served secret is not held in the directory, or has expired")
    over = now >= served.created + SETTLE and now >= (credential.overlap_until or now)
    if not over and old.ends > now:
        return NotYet(OVERLAP)
    if old.name.startswith(PREFIX) and _is_newest(old, held):
        return NotYet("the newest secret of ours is never removed")
    return Retire(old.key_id)


def _next(
    credential: Credential, held: Sequence[HeldSecret], leftovers: frozenset[str]
) -> HeldSecret | None:
    """What is to go, the one that ends first before the others."""
    published = next((s for s in held if s.key_id == credential.key_id), None)
    found = [
        s
        for s in held
        if s.key_id == credential.previous_key_id
        or (s.key_id in leftovers and published is not None and s.starts < published.starts)
    ]
    return min(found, key=lambda s: s.ends, default=None)


def _is_newest(secret: HeldSecret, held: Sequence[HeldSecret]) -> bool:
    ours = [s for s in held if s.name.startswith(PREFIX)]
    return max(ours, key=lambda s: s.starts).key_id == secret.key_id
