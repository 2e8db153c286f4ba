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

LEAST_OVERLAP = timedelta(days=1)
"""Products that read the vault by reference may hold an old value for so long."""

MARGIN = timedelta(days=3)
"""What is left of a staged secret's life when its successor is published, at the least."""

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
    prestage: bool = False  # the next secret is always there, staged and proven


def policy_of(profile: Profile, spec: Spec) -> Policy:
    """The profile's, with the lifetime that the request asks for."""
    wanted = profile.credential
    others = wanted.external_when
    return Policy(
        lifetime=parse_duration(fill(wanted.lifetime, input_values(spec))),
        renew_before=wanted.renew_before,
        overlap=max(wanted.overlap, LEAST_OVERLAP),
        external=others is not None and holds(others, spec.features),
        shape=wanted.shape,
        prestage=wanted.prestage,
    )


def rotated_elsewhere(profile: Profile, spec: Spec) -> str:
    """Why there is nothing for us to rotate; empty where there is."""
    if not profile.credential.kept:
        return f"it signs in with a {profile.credential.kind} credential and has no secret"
    if policy_of(profile, spec).external:
        features = ", ".join(profile.credential.external_when or ())
        return f"the product rotates its secret itself ({features})"
    return ""


def due_at(
    policy: Policy, starts: datetime, ends: datetime, *, published: datetime | None = None
) -> datetime:
    """When rotation starts: two thirds of the life, or `renew_before` its end if earlier.

    A life cut short by the tenant's policy also cuts `renew_before`, to a third of it. One that
    was staged ahead is used for one half of its life as the next and for the other as the
    served secret, so there it counts from when it was *published*.
    """
    life = ends - starts
    if policy.prestage:
        margin = _margin(policy, life)
        return min((published or starts) + (life - margin) / 2, ends - margin)
    return min(starts + life * 2 / 3, ends - min(policy.renew_before, life / 3))


def comes_too_soon(
    policy: Policy, known: Credential | None, served: StoredSecret, now: datetime
) -> bool:
    """Whether the vault's near-expiry event says nothing: its own date comes long before ours.

    Of a secret that lives for a month or less it comes with the publication; to heed it would
    rotate without end. *known* has the dates of the published version, which somebody may have
    changed in the vault; where it is of another one, the publication is not noted yet.
    """
    ends = served.expires
    if known is not None and known.vault_version == served.version:
        ends, due = known.expires, known.due
    elif ends is not None:
        # One that was staged ahead is older than its publication.
        made = ends - policy.lifetime if policy.prestage else served.created
        due = due_at(policy, made, ends, published=served.created)
    else:
        return False
    return now < due and due > ends - NEAR_EXPIRY + LATE


def kept_until(policy: Policy, starts: datetime, ends: datetime) -> datetime:
    """How long a staged secret is good for being published: a fourth of its life is to come."""
    life = ends - starts
    return ends - _margin(policy, life) - (life - _margin(policy, life)) / 4


def _margin(policy: Policy, life: timedelta) -> timedelta:
    """Of the end of a life, for the overlap with the successor and for what may go wrong."""
    return min(max(MARGIN, policy.overlap, policy.renew_before), life / 3)


def shortened(policy: Policy, starts: datetime, ends: datetime) -> str:
    """A sentence on a life that the tenant's policy cut short; empty where it did not."""
    if ends - starts > policy.lifetime - timedelta(days=1):
        return ""
    days = math.ceil((ends - starts) / timedelta(days=1))
    return (
        f" SECRET_LIFETIME_OVER_POLICY: {policy.lifetime.days} days were asked for; the tenant "
        f"allows at most {days}, which was used.{_hasty(policy, starts, ends)}"
    )


def _hasty(policy: Policy, starts: datetime, ends: datetime) -> str:
    """What a short life leaves of the overlap."""
    left = ends - due_at(policy, starts, ends)
    if left >= policy.overlap:
        return ""
    hours = math.floor(left / timedelta(hours=1))
    return (
        f" The replaced secret then works for {hours} hours instead of {policy.overlap.days} days "
        "after a rotation: have the product take the new one in that time."
    )


def state(credential: Credential, now: datetime) -> State:
    if now >= credential.expires:
        return State.EXPIRED
    if now >= credential.due + LATE:
        return State.OVERDUE
    return State.DUE if now >= credential.due else State.OK
