"""Warnings before a secret ends: by then a rotation should have replaced it long ago."""

from datetime import datetime, timedelta
from enum import StrEnum

from shared.errors import NeedsHuman
from shared.model.connection import Connection, Credential, Spec, Value
from shared.model.profile import Profile
from shared.planning.lifetime import policy_of


class Level(StrEnum):
    """How urgent it is."""

    WARN = "warn"
    ACT = "act"
    PAGE = "page"


BEFORE = (timedelta(days=30), timedelta(days=14), timedelta(days=3))
"""How long before the end each level comes, where the profile says nothing else."""

KIND = "expire"
"""Due kind of published secrets about which a warning is out; no timer takes it."""

SHARE = 4
"""The first warning comes within the last fourth of a life, for which all are cut: rotation is due
when a third is left, so a warning means that it has failed, or that it is left to others."""


class Notice(Value, frozen=True):
    """How long before its end people are warned of a secret, and who is to replace it."""

    before: tuple[timedelta, ...] = BEFORE  # one for each level
    external: bool = False  # somebody else rotates


def notice_of(profile: Profile | None, spec: Spec) -> Notice:
    if profile is None:  # a deployment has removed it
        return Notice()
    external = policy_of(profile, spec).external
    return Notice(before=profile.credential.warn_before, external=external)


def level_of(credential: Credential, now: datetime, notice: Notice) -> Level | None:
    """None while the end is far; the highest level once it has come."""
    life, left = credential.expires - credential.published, credential.expires - now
    cut = min(life / SHARE / notice.before[0], 1.0)
    reached = [
        level for level, before in zip(Level, notice.before, strict=True) if left <= before * cut
    ]
    return reached[-1] if reached else None


def warning_of(connection: Connection, now: datetime, notice: Notice) -> Level | None:
    """The same for what is published; none for one that its own rotator has replaced."""
    credential = connection.credential
    if credential is None:
        return None
    newer = any(stray.ends > max(credential.expires, now) for stray in connection.strays)
    return None if notice.external and newer else level_of(credential, now, notice)


def soon(connection: Connection, now: datetime, notice: Notice) -> str:
    """A sentence about a published secret that ends soon; empty without a warning."""
    credential = connection.credential
    if credential is None or warning_of(connection, now, notice) is None:
        return ""
    whose = "the product has" if notice.external else "no rotation has"
    days = (credential.expires - now) / timedelta(days=1)
    return (
        f"Secret {credential.hint}... expires on {credential.expires:%Y-%m-%d}, in {days:.1f} "
        f"days, and {whose} {'not ' if notice.external else ''}replaced it."
    )


def trouble(connection: Connection, now: datetime, notice: Notice) -> NeedsHuman | None:
    """What a person must do at the last level; one that has ended is another finding."""
    credential = connection.credential
    paged = warning_of(connection, now, notice) == Level.PAGE
    if credential is None or not paged or now >= credential.expires:
        return None
    remedy = (
        "Rotate it in the product; the profile leaves rotation to it."
        if notice.external
        else f"GET /api/connections/{connection.spec.name} says why its rotations failed "
        "(CredentialReady, operations); put that right, then POST .../rotation, and hand it over."
    )
    return NeedsHuman("SECRET_EXPIRES_SOON", soon(connection, now, notice), remedy)
