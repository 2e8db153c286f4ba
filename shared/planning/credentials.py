"""The next thing to do to have a working, published client secret or certificate.

The ladder: intent, add, stage, let it become known, verify, publish; a crash anywhere is
resumed from what directory and vault show, without the help of any row of ours.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from shared.model.credential import HeldSecret, StoredSecret
from shared.model.shape import Shape
from shared.planning.credential_parts import (
    Abandon,
    Action,
    Add,
    Ask,
    Discard,
    Facts,
    Keep,
    Publish,
    Published,
    Verify,
    Wait,
)
from shared.planning.lifetime import Policy, due_at, kept_until

PREFIX = "managed:"
"""Display names of secrets that are ours; nothing without it is ever removed."""

SETTLE = timedelta(hours=1)
MOST_OF_OURS = 3
"""Live secrets of ours on one application: served, its successor, one waiting for retirement."""

NAME_LIMIT = 120
CERTIFICATE_NAME_LIMIT = 90  # Graph cuts longer ones, and would show another name than ours

HEALED_BY_ROTATION = frozenset({"SECRET_ID_NOT_VALUE", "SECRET_MISSING", "SECRET_EXPIRED"})
"""What a verification may find of the served secret that a new one puts right."""


def credential_name(
    profile: str, operation: str, tail: str, shape: Shape = Shape.CLIENT_SECRET
) -> str:
    """Display name in the directory: our mark, the operation, and the guide's readable name."""
    limit = CERTIFICATE_NAME_LIMIT if shape.certificate else NAME_LIMIT
    return f"{PREFIX}{profile}/{operation} {tail}"[:limit].rstrip()


def operation_of(name: str) -> str:
    """The operation that made a secret of this display name; empty when its name has none."""
    return name.partition("/")[2].partition(" ")[0]


def staging_name(vault_name: str) -> str:
    return f"{vault_name}--next"


def is_ours(secret: HeldSecret) -> bool:
    """Whether it has our mark; which operation made it, the ledger knows."""
    return secret.name.startswith(PREFIX)


def plan_credential(
    policy: Policy,
    facts: Facts,
    *,
    name: str,
    operation: str,
    rotate: bool,
    registered: datetime,
    now: datetime,
) -> Action:
    """Decide the next action of this operation; *rotate* asks for a new secret in any case."""
    if facts.held is None:
        return invisible(registered, now)
    served, staged = facts.served, facts.staged
    why = "asked" if rotate else _why_new(policy, facts, now)
    following = kept(policy, facts) if why is None or is_made_by(served, operation) else None
    spared = {following.key_id} if following else set()
    mine = [s for s in facts.held if s.name == name and s.key_id not in spared]
    if served is not None and served.operation == operation:
        # A secret whose answer was lost may be listed only now.
        late = [secret.key_id for secret in mine if secret.key_id != served.key_id]
        return Discard(late[0]) if late else Published()
    if staged is not None and staged.operation == operation and following is None:
        again = Add(name=name, ends=now + policy.lifetime, why="staged-is-gone")
        return resume(staged, mine, facts, again, now)
    if mine:
        return Discard(mine[0].key_id)
    if policy.external and (served is not None or facts.noted):
        return Keep("external")
    if stray := _stray(policy, facts, now):
        return Discard(stray, why="left-behind")
    return Keep("fresh") if why is None else _renew(policy, facts, name, why, now)


def _renew(policy: Policy, facts: Facts, name: str, why: str, now: datetime) -> Action:
    """Publish what was staged and proven ahead of time, once more proven by now; or make one."""
    if (ready := next_secret(policy, facts, now)) is not None:
        if not facts.lists(ready.key_id):
            return Wait(
                code="SECRET_NOT_LISTED", message="The staged next secret is not listed just now."
            )
        return Publish(previous_key_id=former(facts)) if facts.verified else Verify()
    if is_full(facts, now):
        if idle := _in_the_way(facts, now):
            return Discard(idle, why="in-the-way")
        return Ask(
            "TOO_MANY_SECRETS",
            f"The application already has {MOST_OF_OURS} live secrets of ours.",
            "Wait until the overlap of the last rotation is over, or an hour after attempts that "
            "failed, or retire a secret by hand.",
        )
    return Add(name=name, ends=now + policy.lifetime, why=why)


def _in_the_way(facts: Facts, now: datetime) -> str:
    """While nothing usable is served: the oldest of ours, but for the one published last.

    Products may still have that one; the others' values are in no vault, and must not keep a
    new one from being made.
    """
    if facts.served is not None and not facts.refused:
        return ""
    spared = {facts.noted, facts.staged.key_id if facts.staged else ""}
    idle = [s for s in live(facts.held or (), now) if s.key_id in facts.leftovers - spared]
    return min(idle, key=lambda secret: secret.starts).key_id if idle else ""


def invisible(registered: datetime, now: datetime) -> Action:
    if now < registered + SETTLE:
        return Wait(
            code="APP_REPLICATION", message="The new application is not visible everywhere yet."
        )
    return Ask(
        "APP_DELETED",
        "The application is gone.",
        "Restore it within 30 days (Entra ID, App registrations, Deleted applications) instead of "
        "making a new one, then send the request again.",
    )


def resume(
    staged: StoredSecret,
    mine: Sequence[HeldSecret],
    facts: Facts,
    again: Add,
    now: datetime,
) -> Action:
    """Go on with what this operation has staged; copies whose value was lost go first."""
    served = facts.served
    if staged.refused:
        return Abandon(key_id=staged.key_id, code=staged.refused)
    if served is not None and served.operation and served.created > staged.created:
        # Another run has published since: ours is not needed any more.
        return Discard(mine[0].key_id, why="overtaken") if mine else Keep("overtaken")
    lost = [secret.key_id for secret in mine if secret.key_id != staged.key_id]
    if lost:
        return Discard(lost[0])
    if not mine:
        # Lists lag behind writes: believe the loss only once it is old enough.
        if now < staged.created + SETTLE:
            limit = SETTLE + timedelta(minutes=15)  # then it is believed, and another one is made
            return Wait(
                code="SECRET_NOT_LISTED",
                message="The staged secret is not listed yet.",
                limit=limit,
            )
        return again
    return Publish(previous_key_id=former(facts)) if facts.verified else Verify()


def former(facts: Facts) -> str:
    """Should the vault have lost its version, people may still use that secret."""
    return (facts.served.key_id if facts.served else "") or facts.noted


def kept(policy: Policy, facts: Facts) -> StoredSecret | None:
    """The staged secret, where it is one to come and not the copy of a published one."""
    return facts.staged if kept_id(policy, facts.served, facts.staged) else None


def kept_id(policy: Policy, served: StoredSecret | None, staged: StoredSecret | None) -> str:
    """Its key id; empty where there is none."""
    if not policy.prestage or staged is None:
        return ""
    used = {served.key_id, served.previous_key_id} if served is not None else set()
    return "" if staged.key_id in used else staged.key_id


def next_secret(policy: Policy, facts: Facts, now: datetime) -> StoredSecret | None:
    """The secret that was staged and proven ahead of time, if it lives long enough."""
    staged = kept(policy, facts)
    if staged is None or not staged.verified or staged.refused or staged.shape is not policy.shape:
        return None
    found = next((s for s in facts.held or () if s.key_id == staged.key_id), None)
    if found is None:
        # Lists lag behind writes: believe the loss only once it is old enough.
        return staged if now < staged.created + SETTLE else None
    return staged if now < kept_until(policy, found.starts, found.ends) else None


def is_made_by(stored: StoredSecret | None, operation: str) -> bool:
    return stored is not None and stored.operation == operation


def _stray(policy: Policy, facts: Facts, now: datetime) -> str:
    """A secret of a failed attempt: newer than the published one, and never published itself."""
    held, published = facts.held or (), facts.served.key_id if facts.served else facts.noted
    current = next((secret for secret in held if secret.key_id == published), None)
    if published and current is None:
        return ""
    spared = {published, facts.noted, facts.noted_previous}
    spared.add(facts.served.previous_key_id if facts.served else "")
    if (following := kept(policy, facts)) and not following.refused:
        spared.add(following.key_id)
    for secret in held:
        newer = current is None or secret.starts > current.starts
        old_enough = now >= secret.starts + SETTLE
        if secret.key_id in facts.leftovers - spared and newer and old_enough:
            return secret.key_id
    return ""


def _why_new(policy: Policy, facts: Facts, now: datetime) -> str | None:
    served = facts.served
    if served is None:
        return "none-served"
    if facts.refused:
        return "served-is-refused"
    if served.shape is not policy.shape:
        return "kind-changed"
    current = next((secret for secret in facts.held or () if secret.key_id == served.key_id), None)
    if current is None:
        # Lists lag behind writes: believe the loss only once it is old enough.
        return "served-is-gone" if now >= served.created + SETTLE else None
    due = due_at(policy, current.starts, current.ends, published=served.created)
    return "due" if now >= due else None


def is_full(facts: Facts, now: datetime) -> bool:
    """Whether there are as many as may be; one just published counts before lists have it."""
    served = facts.served
    unlisted = (
        served is not None and now < served.created + SETTLE and not facts.lists(served.key_id)
    )
    return len(live(facts.held or (), now)) + unlisted >= MOST_OF_OURS


def live(held: Sequence[HeldSecret], now: datetime) -> list[HeldSecret]:
    """Those of ours that have not expired."""
    return [secret for secret in held if is_ours(secret) and secret.ends > now]
