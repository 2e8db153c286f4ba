"""Warnings before a secret ends: by then a rotation should have replaced it long ago."""

from datetime import datetime, timedelta
from enum import StrEnum

from shared.errors import NeedsHuman
from shared.model.connection import Connection, Credential


class Level(StrEnum):
    """How urgent it is."""

    WARN = "warn"
    ACT = "act"
    PAGE = "page"


DAYS = ((Level.PAGE, 3), (Level.ACT, 14), (Level.WARN, 30))
"""Days before the end, the most urgent first."""

KIND = "expire"
"""Due kind of published secrets about which a warning is out; no timer takes it."""

SHARE = 4
"""The first warning comes within the last fourth of a life, for which all are cut: rotation is due
when a third is left, so a warning means that it has failed, or that it is left to others."""


def level_of(credential: Credential, now: datetime) -> Level | None:
    """None while the end is far; the highest level once it has come."""
    life, first = credential.expires - credential.published, timedelta(days=DAYS[-1][1])
    cut = min(life / SHARE / first, 1.0)
    left = credential.expires - now
    return next((level for level, days in DAYS if left <= timedelta(days=days) * cut), None)


def warning_of(connection: Connection, now: datetime, *, external: bool) -> Level | None:
    """The same for what is published; none for one that its *external* rotator has replaced."""
    credential = connection.credential
    if credential is None:
        return None
    newer = any(stray.ends > max(credential.expires, now) for stray in connection.strays)
    return None if external and newer else level_of(credential, now)


def soon(connection: Connection, now: datetime, *, external: bool) -> str:
    """A sentence about a published secret that ends soon; empty without a warning."""
    credential = connection.credential
    if credential is None or warning_of(connection, now, external=external) is None:
        return ""
    whose = "the product has" if external else "no rotation has"
    days = (credential.expires - now) / timedelta(days=1)
    return (
        f"Secret {credential.hint}... expires on {credential.expires:%Y-%m-%d}, in {days:.1f} "
        f"days, and {whose} {'not ' if external else ''}replaced it."
    )


def trouble(connection: Connection, now: datetime, *, external: bool) -> NeedsHuman | None:
    """What a person must do at the last level; one that has ended is another finding."""
    credential = connection.credential
    paged = warning_of(connection, now, external=external) == Level.PAGE
    if credential is None or not paged or now >= credential.expires:
        return None
    remedy = (
        "Rotate it in the product; the profile leaves rotation to it."
        if external
        else f"GET /api/connections/{connection.spec.name} says why its rotations failed "
        "(CredentialReady, operations); put that right, then POST .../rotation, and hand it over."
    )
    return NeedsHuman("SECRET_EXPIRES_SOON", soon(connection, now, external=external), remedy)
