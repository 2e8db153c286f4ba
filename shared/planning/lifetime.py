"""How long secrets live, when they are rotated, and how far behind that a connection is."""

import math
from datetime import datetime, timedelta
from enum import StrEnum

from shared.model.connection import Credential, Spec, Value
from shared.model.credential import StoredSecret
from shared.model.duration import parse_duration
from shared.model.profile import Profile, fill, holds
from shared.model.shape import Shape
from shared.planning.templates import input_values

LATE = timedelta(days=1)
"""A rotation that is due for longer has failed, or its timer has."""


NEAR_EXPIRY = timedelta(days=30)
"""Before a version's end Key Vault says that it is near, however long it lives; not configurable.

Source: "Azure Key Vault as an Event Grid source".
"""


class State(StrEnum):
    """The age of a published secret."""

    OK = "ok"
    DUE = "due"  # rotation starts with the next sweep
    OVERDUE = "overdue"  # it should have been rotated by now
    EXPIRED = "expired"  # products cannot sign in with it


class Policy(Value, frozen=True):
    """How long secrets live, from profile and request."""

    lifetime: timedelta
    renew_before: timedelta
    overlap: timedelta
    external: bool = False  # somebody else rotates: after the first secret we only look on
    shape: Shape = Shape.CLIENT_SECRET


def policy_of(profile: Profile, spec: Spec) -> Policy:
    """The profile's, with the lifetime that the request asks for."""
    wanted = profile.credential
    others = wanted.external_when
    return Policy(
        lifetime=parse_duration(fill(wanted.lifetime, input_values(spec))),
        renew_before=wanted.renew_before,
        overlap=wanted.overlap,
        external=others is not None and holds(others, spec.features),
        shape=wanted.shape,
    )


def rotated_elsewhere(profile: Profile, spec: Spec) -> str:
    """Why there is nothing for us to rotate; empty where there is."""
    if not profile.credential.kept:
        return f"it signs in with a {profile.credential.kind} credential and has no secret"
    if policy_of(profile, spec).external:
        features = ", ".join(profile.credential.external_when or ())
        return f"the product rotates its secret itself ({features})"
    return ""


def due_at(policy: Policy, starts: datetime, ends: datetime) -> datetime:
    """When rotation starts: two thirds of the life, or `renew_before` its end if earlier.

    A life cut short by the tenant's policy also cuts `renew_before`, to a third of it.
    """
    life = ends - starts
    return min(starts + life * 2 / 3, ends - min(policy.renew_before, life / 3))


def comes_too_soon(profile: Profile, spec: Spec, served: StoredSecret, now: datetime) -> bool:
    """Whether the vault's near-expiry event says nothing: its own date comes long before ours.

    Of a secret that lives for a month or less it comes with the publication; to heed it would
    rotate without end.
    """
    if served.expires is None:
        return False
    due = due_at(policy_of(profile, spec), served.created, served.expires)
    return now < due and due > served.expires - NEAR_EXPIRY + LATE


def shortened(policy: Policy, starts: datetime, ends: datetime) -> str:
    """A sentence on a life that the tenant's policy cut short; empty where it did not."""
    if ends - starts > policy.lifetime - timedelta(days=1):
        return ""
    days = math.ceil((ends - starts) / timedelta(days=1))
    return (
        f" SECRET_LIFETIME_OVER_POLICY: {policy.lifetime.days} days were asked for; the tenant "
        f"allows at most {days}, which was used."
    )


def state(credential: Credential, now: datetime) -> State:
    if now >= credential.expires:
        return State.EXPIRED
    if now >= credential.due + LATE:
        return State.OVERDUE
    return State.DUE if now >= credential.due else State.OK
