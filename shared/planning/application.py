"""An application and its service principal as wanted, and how those that are there differ."""

from msgspec.structs import replace

from shared.model.connection import Spec
from shared.model.directory import (
    Application,
    Permission,
    PermissionKey,
    Principal,
    WantedApplication,
    WantedPrincipal,
)
from shared.model.profile import AUDIENCES, Profile, fill
from shared.planning.consent import key_text

OURS = "keyturn"
"""Tag on everything that Keyturn made; the connection's name stands in a second tag."""

LISTED = "WindowsAzureActiveDirectoryIntegratedApp"
"""Tag that lists a service principal under Enterprise applications, as the portal sets it."""

HIDDEN = "HideApp"
"""Tag that keeps it out of users' sight."""


AUDIENCE = "audience"
PUBLIC_CLIENT = "public client flows"
WEB, NATIVE, SPA = "web redirect URIs", "native redirect URIs", "single-page redirect URIs"
CONFIGURED = "configured permissions"


def unique_name(connection: str) -> str:
    """The application's alternate key: immutable, and the same for every repeat."""
    return f"keyturn-{connection}"


def wanted_application(
    profile: Profile,
    spec: Spec,
    permissions: tuple[Permission, ...],
    values: dict[str, str],
    tolerated: frozenset[PermissionKey] = frozenset(),
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
        tolerated=tolerated,
        adopts=fill(wanted.existing, values).strip().lower(),
    )


def wanted_principal(profile: Profile, display_name: str) -> WantedPrincipal:
    options = profile.registration.sp
    return WantedPrincipal(
        display_name=display_name,
        assignment_required=options.assignment_required,
        tags=(LISTED,) if options.visible else (LISTED, HIDDEN),
    )


def differences(wanted: WantedApplication, app: Application) -> tuple[str, ...]:
    """Names of what is not as wanted; the order of lists does not count.

    Of an adopted application only what it lacks: whatever else it has is its owners' business.
    """
    wanted = allowing(wanted, app)
    if wanted.adopts:
        return _lacking(wanted, app)
    besides = wanted.tolerated - wanted.configured
    pairs = {
        "display name": (wanted.display_name, app.display_name),
        AUDIENCE: (wanted.audience, app.audience),
        PUBLIC_CLIENT: (wanted.public_client, app.public_client),
        WEB: (set(wanted.web_redirects), set(app.web_redirects)),
        NATIVE: (set(wanted.native_redirects), set(app.native_redirects)),
        SPA: (set(wanted.spa_redirects), set(app.spa_redirects)),
        CONFIGURED: (wanted.configured, app.configured - besides),
        "tags": (set(wanted.tags), set(app.tags) & set(wanted.tags)),
    }
    return tuple(name for name, (want, have) in pairs.items() if want != have)


def _lacking(wanted: WantedApplication, app: Application) -> tuple[str, ...]:
    there = {
        PUBLIC_CLIENT: app.public_client or not wanted.public_client,
        WEB: set(wanted.web_redirects) <= set(app.web_redirects),
        NATIVE: set(wanted.native_redirects) <= set(app.native_redirects),
        SPA: set(wanted.spa_redirects) <= set(app.spa_redirects),
        CONFIGURED: wanted.configured <= app.configured,
        "tags": set(wanted.tags) <= set(app.tags),
    }
    return tuple(name for name, ok in there.items() if not ok)


def spare(wanted: WantedApplication, app: Application) -> frozenset[PermissionKey]:
    """What it is configured with besides what is wanted, tolerated and accepted."""
    return app.configured - allowing(wanted, app).configured - wanted.tolerated


def allowing(wanted: WantedApplication, app: Application) -> WantedApplication:
    """*wanted* with what is there besides and an approver has accepted; nothing is added by it."""
    if not wanted.accepted:
        return wanted

    def ok(part: str, value: str) -> bool:
        return (part, value) in wanted.accepted

    def also(part: str, want: tuple[str, ...], there: tuple[str, ...]) -> tuple[str, ...]:
        return _union(want, tuple(uri for uri in there if ok(part, uri)))

    flow = ok(PUBLIC_CLIENT, flow_text(public=app.public_client))
    return replace(
        wanted,
        audience=app.audience if ok(AUDIENCE, app.audience) else wanted.audience,
        public_client=app.public_client if flow else wanted.public_client,
        web_redirects=also(WEB, wanted.web_redirects, app.web_redirects),
        native_redirects=also(NATIVE, wanted.native_redirects, app.native_redirects),
        spa_redirects=also(SPA, wanted.spa_redirects, app.spa_redirects),
        configured=wanted.configured
        | {key for key in app.configured if ok(CONFIGURED, key_text(key))},
    )


def flow_text(*, public: bool) -> str:
    return "allowed" if public else "not allowed"


def principal_differences(wanted: WantedPrincipal, there: Principal) -> tuple[str, ...]:
    """Names of what is not as wanted; who is stricter than the profile is left alone."""
    pairs = {
        "assignment of users": there.assignment_required or not wanted.assignment_required,
        "tags": set(wanted.tags) <= set(there.tags),
    }
    return tuple(name for name, ok in pairs.items() if not ok)


def merged(wanted: WantedApplication, app: Application | None) -> WantedApplication:
    """What to send: PATCH replaces collections, so all that may stay is sent along.

    An adopted application keeps everything that it has, also where it is wider than wanted.
    """
    if app is None:
        return wanted
    wanted = allowing(wanted, app)
    tags = _union(app.tags, wanted.tags)
    if not wanted.adopts:
        kept = app.configured & wanted.tolerated
        return replace(wanted, tags=tags, configured=wanted.configured | kept)
    return replace(
        wanted,
        display_name=app.display_name,
        audience=app.audience,
        public_client=app.public_client or wanted.public_client,
        web_redirects=_union(app.web_redirects, wanted.web_redirects),
        native_redirects=_union(app.native_redirects, wanted.native_redirects),
        spa_redirects=_union(app.spa_redirects, wanted.spa_redirects),
        configured=app.configured | wanted.configured,
        tags=tags,
    )


def merged_principal(wanted: WantedPrincipal, there: Principal | None) -> WantedPrincipal:
    """The same for the service principal."""
    if there is None:
        return wanted
    return replace(
        wanted,
        enabled=there.enabled,  # who disabled it had a reason
        tags=_union(there.tags, wanted.tags),
        assignment_required=there.assignment_required or wanted.assignment_required,
    )


def _union(there: tuple[str, ...], wanted: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*there, *wanted)))
