"""Secrets and certificates on an application that no operation of ours made, and what they mean."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from shared.errors import NeedsHuman
from shared.model.connection import Stray
from shared.model.credential import HeldSecret

CHOOSE = (
    "Find out who uses it, and remove it by hand if nobody does; Keyturn never removes what it "
    "did not make."
)


def find_strays(
    held: Iterable[HeldSecret],
    ours: Collection[str],
    known: Sequence[Stray],
    *,
    first: bool,
    now: datetime,
) -> tuple[Stray, ...]:
    """The secrets whose key ids are none of *ours*, oldest first.

    *known* are those found before. What is there when the *first* secret of ours is made came
    with the application: somebody made it by hand, and it may be in use.
    """
    before = {stray.key_id: stray for stray in known}
    found = [
        before.get(secret.key_id)
        or Stray(
            key_id=secret.key_id,
            name=secret.name,
            hint=secret.hint,
            starts=secret.starts,
            ends=secret.ends,
            seen=now,
            came_with=first,
            certificate=secret.certificate,
        )
        for secret in held
        if secret.key_id not in ours
    ]
    return tuple(sorted(found, key=lambda stray: (stray.starts, stray.key_id)))


def trouble(
    strays: Iterable[Stray], published: datetime | None, *, adopted: bool, now: datetime
) -> NeedsHuman | None:
    """Live secrets that should not be there; None when all came with an adopted application."""
    live = [s for s in strays if s.ends > now and not (adopted and s.came_with)]
    if not live:
        return None
    newer = [s for s in live if published is not None and s.starts >= published]
    if newer:
        ids = ", ".join(stray.key_id for stray in newer)
        return NeedsHuman(
            "TWO_ROTATORS",
            f"Not made by us, and newer than the published secret: keyId {ids}.",
            "Choose one rotator: stop the other one, or switch on the feature with which the "
            "profile leaves rotation to it (external_when). " + CHOOSE,
        )
    return NeedsHuman(
        "SECRET_VALUE_UNKNOWN",
        f"Live secrets exist whose value we do not have: {'; '.join(map(told, live))}.",
        CHOOSE,
    )


def told(stray: Stray) -> str:
    """What tells one secret from another, for people."""
    name = stray.name or "without a name"
    starts = "a certificate whose thumbprint starts" if stray.certificate else "starts"
    return (
        f"{stray.key_id} ({name}, {starts} with {stray.hint or '?'}, expires {stray.ends:%Y-%m-%d})"
    )


def mention(strays: Iterable[Stray], now: datetime) -> str:
    """A sentence about the live ones, for a condition that is true all the same."""
    live = [told(stray) for stray in strays if stray.ends > now]
    if not live:
        return ""
    return f" SECRET_VALUE_UNKNOWN: others are there, and stay: {'; '.join(live)}."
