"""What to do next to have the application and its service principal as wanted."""

from datetime import datetime, timedelta

from shared.model.connection import Spec, Value
from shared.model.directory import (
    Application,
    Principal,
    WantedApplication,
    WantedPrincipal,
)
from shared.model.profile import Profile, fill
from shared.planning.application import OURS, differences, principal_differences
from shared.planning.templates import profile_inputs

SETTLE = timedelta(hours=1)
"""Facts younger than this do not prove that something is gone."""


class Seen(Value, frozen=True):
    """What the tenant shows."""

    application: Application | None
    owners: frozenset[str]
    own: str  # the automation's own service principal
    principal: Principal | None


class Register(Value, frozen=True):
    """Create the application, or put it right."""

    why: str


class AddOwner(Value, frozen=True):
    """Add an owner: the automation, whose permission does not reach further, or a person."""

    owner: str  # object id


class Lock(Value, frozen=True):
    """Forbid secrets on the service principal: a back door that nobody would look for."""


class CreatePrincipal(Value, frozen=True):
    """Create the service principal, or put it right."""

    why: str = "new"


class Wait(Value, frozen=True):
    """Not visible yet."""


class Gone(Value, frozen=True):
    """Deleted behind our back."""


class Foreign(Value, frozen=True):
    """Somebody else's application has our unique name: nothing of it is changed."""


class Absent(Value, frozen=True):
    """The application to adopt is not there."""


class NotOwned(Value, frozen=True):
    """The application to adopt is out of the automation's reach: nothing of it is changed."""


class Finished(Value, frozen=True):
    """Everything is as wanted."""

    object_id: str
    client_id: str
    principal_id: str


Action = (
    Register
    | AddOwner
    | Lock
    | CreatePrincipal
    | Wait
    | Gone
    | Foreign
    | Absent
    | NotOwned
    | Finished
)


def plan_registration(
    wanted: WantedApplication,
    principal: WantedPrincipal,
    seen: Seen,
    *,
    people: tuple[str, ...] = (),
    registered: datetime | None,
    now: datetime,
) -> Action:
    """One action at a time: the next is decided on fresh facts.

    *people* are the object ids of users who are to be owners.
    """
    app = seen.application
    if app is None:
        return _without(wanted, registered, now)
    if registered is None and not wanted.adopts and is_foreign(app):
        return Foreign()
    if seen.own not in seen.owners:
        return NotOwned() if wanted.adopts else AddOwner(owner=seen.own)
    if wrong := differences(wanted, app):
        return Register(why=", ".join(wrong))
    if missing := [person for person in people if person not in seen.owners]:
        return AddOwner(owner=missing[0])
    # The lock on an adopted one would be felt by whoever puts secrets there.
    if not app.locked and not wanted.adopts:
        return Lock()
    if seen.principal is None:
        return CreatePrincipal()
    wrong = principal_differences(principal, seen.principal)
    if wrong and not wanted.adopts:
        return CreatePrincipal(why=", ".join(wrong))
    return Finished(
        object_id=app.object_id, client_id=app.client_id, principal_id=seen.principal.object_id
    )


def is_adopted(profile: Profile, spec: Spec) -> bool:
    """Whether the connection uses an application that was there before."""
    return bool(fill(profile.registration.existing, profile_inputs(profile, spec)))


def _without(wanted: WantedApplication, registered: datetime | None, now: datetime) -> Action:
    """Nothing is visible: not there yet, or not there any more."""
    if registered is None:
        return Absent() if wanted.adopts else Register(why="new")
    return Wait() if now < registered + SETTLE else Gone()


def is_foreign(app: Application) -> bool:
    """Whether it lacks the mark that ours have from their first moment."""
    return OURS not in app.tags
