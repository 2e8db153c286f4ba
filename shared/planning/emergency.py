"""The next thing to do when a published secret may be known to others.

The replacement is published first and everything else of ours removed by the retirement, unless
sign-in is to stop at once: then the service principal stays disabled until all of it is removed,
so no moment is left in which the old secret opens anything.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from shared.model.credential import HeldSecret, StoredSecret
from shared.planning.credential_parts import (
    Abandon,
    Add,
    Ask,
    Discard,
    Facts,
    Halt,
    Publish,
    Published,
    Purge,
    Readmit,
    UrgentAction,
    Verify,
    Wait,
)
from shared.planning.credentials import (
    SETTLE,
    former,
    invisible,
    is_full,
    is_made_by,
    next_secret,
)
from shared.planning.lifetime import Policy

FORCE = "force"
DISABLE = "disable_sign_in"
DISCARD_NEXT = "discard_next"

LISTED = SETTLE + timedelta(minutes=15)
"""How long a new secret may be missing from the list: then it is believed to be gone."""

OPTIONS = (FORCE, DISABLE, DISCARD_NEXT)
"""What the caller of an emergency may allow; an operation carries their names."""


def plan_emergency(
    policy: Policy,
    facts: Facts,
    options: Collection[str],
    *,
    name: str,
    operation: str,
    registered: datetime,
    now: datetime,
) -> UrgentAction:
    """Decide the next action up to the publication; the retirement comes after it."""
    if facts.held is None:
        return invisible(registered, now)
    mine = [secret for secret in facts.held if secret.name == name]
    if facts.served is not None and is_made_by(facts.served, operation):
        late = [secret.key_id for secret in mine if secret.key_id != facts.served.key_id]
        return Discard(late[0]) if late else Published()
    ready = _replacement(policy, facts, options, operation, now)
    lost = [secret for secret in mine if ready is None or secret.key_id != ready.key_id]
    if lost:
        return Discard(lost[0].key_id)
    old = compromised(facts, spare=ready.key_id if ready else "")
    if DISABLE in options and old and facts.sign_in:
        return Halt()
    again = Add(name=name, ends=now + policy.lifetime, why="emergency")
    if ready is None:
        return _make(again, facts, old, now)
    if not facts.lists(ready.key_id):
        # Lists lag behind writes: believe the loss only once it is old enough.
        if now < ready.created + SETTLE:
            return Wait(code="SECRET_NOT_LISTED", message="It is not listed yet.", limit=LISTED)
        return again
    return _publish(facts, options, ready, old)


def _publish(
    facts: Facts, options: Collection[str], ready: StoredSecret, old: list[HeldSecret]
) -> UrgentAction:
    """With the replacement at hand: what has to come before it is published, or to go with it."""
    if DISABLE in options and old:
        return Purge(old[0].key_id)
    if DISABLE in options and not facts.sign_in:
        return Readmit()
    if ready.refused:
        return _unproven(ready, old, options)
    # Signing in shows that the service principal is enabled: one read of it may be behind.
    if not (facts.verified or (ready.verified and DISABLE not in options)):
        return Verify()
    return Publish(previous_key_id=former(facts))


def compromised(facts: Facts, *, spare: str) -> list[HeldSecret]:
    """Secrets of ours that are held besides the replacement, those that end first before others."""
    ours = {*facts.leftovers, facts.noted, facts.noted_previous}
    if facts.served is not None:
        ours |= {facts.served.key_id, facts.served.previous_key_id}
    found = [s for s in facts.held or () if s.key_id in ours and s.key_id != spare]
    return sorted(found, key=lambda secret: secret.ends)


def _replacement(
    policy: Policy, facts: Facts, options: Collection[str], operation: str, now: datetime
) -> StoredSecret | None:
    """What this operation has staged, or what was staged ahead of time."""
    staged = facts.staged
    if staged is not None and staged.operation == operation and staged.key_id:
        return staged
    return None if DISCARD_NEXT in options else next_secret(policy, facts, now)


def _make(wanted: Add, facts: Facts, old: list[HeldSecret], now: datetime) -> UrgentAction:
    """A new one; where there are too many, one goes first that is going to be removed anyway."""
    served = facts.served.key_id if facts.served else facts.noted
    idle = [secret for secret in old if secret.key_id != served]
    if idle and is_full(facts, now):
        return Purge(idle[0].key_id)
    return wanted


def _unproven(ready: StoredSecret, old: list[HeldSecret], options: Collection[str]) -> UrgentAction:
    """The replacement could not be proven. What is not proven is never published."""
    if old and FORCE not in options:
        return Abandon(key_id=ready.key_id, code=ready.refused)
    if old:
        return Purge(old[0].key_id)
    return Ask(
        "EMERGENCY_UNVERIFIED",
        f"Every old secret of ours is removed, but the new one, {ready.key_id}, could not be "
        f"verified ({ready.refused}) and is not published: the product has no secret that works.",
        "Correct what the code means (docs/diagnosis.md). A rotation is tried every hour; to have "
        "it at once, post to /rotation.",
    )
