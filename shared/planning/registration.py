"""What to do next to have the application and its service principal as wanted."""

from datetime import datetime, timedelta

from shared.model.connection import Spec, Value
from shared.model.directory import Application, Permission, Principal, WantedApplication
from shared.model.profile import AUDIENCES, Profile, fill
from shared.planning.templates import profile_inputs

OURS = "keyturn"
"""Tag on everything that Keyturn made; the connection's name stands in a second tag."""

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
    """Own the application: without it the automation's permission does not reach it."""


class Lock(Value, frozen=True):
    """Forbid secrets on the service principal: a back door that nobody would look for."""


class CreatePrincipal(Value, frozen=True):
    """Create the service principal."""


class Wait(Value, frozen=True):
    """Not visible yet."""


class Gone(Value, frozen=True):
    """Deleted behind our back."""


class Foreign(Value, frozen=True):
    """Somebody else's application has our unique name: nothing of it is changed."""


class Finished(Value, frozen=True):
    """Everything is as wanted."""

    object_id: str
    client_id: str
    principal_id: str


Action = Register | AddOwner | Lock | CreatePrincipal | Wait | Gone | Foreign | Finished


def unique_name(connection: str) -> str:
    """The application's alternate key: immutable, and the same for every repeat."""
    return f"keyturn-{connection}"


def wanted_application(
    profile: Profile, spec: Spec, permissions: tuple[Permission, ...], values: dict[str, str]
) -> WantedApplication:
    """The registration that the profile's guide describes, as Graph wants it (steps 3 to 24)."""
    wanted = profile.registration
    uris = tuple(filter(None, (fill(uri, values) for uri in wanted.redirect_uris)))
    return WantedApplication(
        unique_name=unique_name(spec.name),
        display_name=fill(wanted.display_name, values),
        audience=AUDIENCES[wanted.audience],
        public_client=wanted.public_client_flows,
        web_redirects=uris if wanted.platform == "web" else (),
        native_redirects=uris if wanted.platform == "public_native" else (),
        spa_redirects=uris if wanted.platform == "spa" else (),
        configured=frozenset(permission.key for permission in permissions),
        tags=(OURS, f"{OURS}:{spec.name}"),
    )


def plan_registration(
    wanted: WantedApplication, seen: Seen, *, registered: datetime | None, now: datetime
) -> Action:
    """One action at a time: the next is decided on fresh facts."""
    app = seen.application
    if app is None:
        if registered is None:
            return Register(why="new")
        return Wait() if now < registered + SETTLE else Gone()
    if registered is None and is_foreign(app):
        return Foreign()
    if wrong := differences(wanted, app):
        return Register(why=", ".join(wrong))
    if seen.own not in seen.owners:
        return AddOwner()
    if not app.locked:
        return Lock()
    if seen.principal is None:
        return CreatePrincipal()
    return Finished(
        object_id=app.object_id, client_id=app.client_id, principal_id=seen.principal.object_id
    )


def is_adopted(profile: Profile, spec: Spec) -> bool:
    """Whether the connection uses an application that was there before."""
    return bool(fill(profile.registration.existing, profile_inputs(profile, spec)))


def is_foreign(app: Application) -> bool:
    """Whether it lacks the mark that ours have from their first moment."""
    return OURS not in app.tags


def differences(wanted: WantedApplication, app: Application) -> tuple[str, ...]:
    """Names of what is not as wanted; the order of lists does not count."""
    pairs = {
        "display name": (wanted.display_name, app.display_name),
        "audience": (wanted.audience, app.audience),
        "public client flows": (wanted.public_client, app.public_client),
        "web redirect URIs": (set(wanted.web_redirects), set(app.web_redirects)),
        "native redirect URIs": (set(wanted.native_redirects), set(app.native_redirects)),
        "single-page redirect URIs": (set(wanted.spa_redirects), set(app.spa_redirects)),
        "configured permissions": (wanted.configured, app.configured),
        "tags": (set(wanted.tags), set(app.tags) & set(wanted.tags)),
    }
    return tuple(name for name, (want, have) in pairs.items() if want != have)
