"""Which secret may be removed, and the guards that keep the served one."""

from collections.abc import Sequence
from datetime import datetime

from shared.model.connection import Credential, Value
from shared.model.credential import HeldSecret, StoredSecret
from shared.planning.credentials import SETTLE, is_ours

OVERLAP = "the overlap is not over"
"""Why a secret stays that nothing else keeps."""

REPLACED = "overlap-over"
EXPIRED = "expired"
ORPHAN = "orphan"
EMERGENCY = "emergency"


class Retire(Value, frozen=True):
    """Remove a secret by its key id, never by position or date."""

    key_id: str
    why: str = REPLACED


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

    *leftovers* are what other operations of ours made, without the one that is kept to come
    next: those older than the published secret were replaced by it, too, or by one that it has
    replaced since; younger ones are of attempts that failed.
    """
    candidates = _candidates(credential, held, leftovers, now)
    if not candidates:
        return Nothing()
    if served is None or served.key_id != credential.key_id:
        return NotYet("another secret is served than the one published last")
    if not any(s.key_id == served.key_id and s.ends > now for s in held):
        return NotYet("the served secret is not held in the directory, or has expired")
    judged = [_judge(one, why, credential, held, served, now) for one, why in candidates]
    return next((each for each in judged if isinstance(each, Retire)), judged[0])


def plan_purge(
    credential: Credential,
    *,
    held: Sequence[HeldSecret],
    served: StoredSecret | None,
    now: datetime,
    leftovers: frozenset[str],
) -> Action:
    """The same in an emergency: no overlap, no settling; whatever of ours is not served goes.

    The newest is no exception: the served one may have been staged before others were made.
    """
    ours = {*leftovers, credential.previous_key_id}
    old = [s for s in held if s.key_id in ours and s.key_id != credential.key_id]
    if not old:
        return Nothing()
    if served is None or served.key_id != credential.key_id:
        return NotYet("another secret is served than the one published last")
    if not any(s.key_id == served.key_id and s.ends > now for s in held):
        return NotYet("the served secret is not held in the directory, or has expired")
    return Retire(min(old, key=lambda secret: secret.ends).key_id, EMERGENCY)


def orphans(
    held: Sequence[HeldSecret], leftovers: frozenset[str], served_key_id: str, now: datetime
) -> frozenset[str]:
    """Leftovers that nobody waits for: expired, or of an attempt after the served one was made.

    Facts younger than `SETTLE` lead to no removal.
    """
    served = next((s for s in held if s.key_id == served_key_id), None)
    return frozenset(
        secret.key_id
        for secret in held
        if secret.key_id in leftovers - {served_key_id}
        and (secret.ends <= now or (served and _failed(secret, served, now)))
    )


def _failed(secret: HeldSecret, published: HeldSecret, now: datetime) -> bool:
    return secret.starts > published.starts and now >= secret.starts + SETTLE


def _candidates(
    credential: Credential, held: Sequence[HeldSecret], leftovers: frozenset[str], now: datetime
) -> list[tuple[HeldSecret, str]]:
    """What is to go and why, the one that ends first before the others."""
    published = next((s for s in held if s.key_id == credential.key_id), None)
    alone = orphans(held, leftovers, credential.key_id, now)
    found = []
    for secret in sorted(held, key=lambda s: s.ends):
        replaced = (
            secret.key_id in leftovers
            and published is not None
            and secret.starts < published.starts
        )
        if secret.key_id == credential.previous_key_id or replaced:
            found.append((secret, EXPIRED if secret.ends <= now else REPLACED))
        elif secret.key_id in alone:
            found.append((secret, EXPIRED if secret.ends <= now else ORPHAN))
    return found


def _judge(
    old: HeldSecret,
    why: str,
    credential: Credential,
    held: Sequence[HeldSecret],
    served: StoredSecret,
    now: datetime,
) -> Retire | NotYet:
    if old.key_id == served.key_id:
        return NotYet("it is the one that is served")
    if why in (EXPIRED, ORPHAN):
        return Retire(old.key_id, why)
    until = credential.overlap_until
    if old.key_id != credential.previous_key_id:
        until = credential.earlier_until or until
    over = now >= served.created + SETTLE and now >= (until or now)
    if not over:
        return NotYet(OVERLAP)
    if is_ours(old) and _is_newest(old, held):
        return NotYet("the newest secret of ours is never removed")
    return Retire(old.key_id, why)


def _is_newest(secret: HeldSecret, held: Sequence[HeldSecret]) -> bool:
    ours = [s for s in held if is_ours(s)]
    return max(ours, key=lambda s: s.starts).key_id == secret.key_id
