"""Roles of imported users, and what must hold before people sign in to the product with them."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from msgspec.structs import replace

from shared.errors import NeedsHuman
from shared.model.connection import Connection
from shared.model.imports import AccessPolicy, ImportedUser, UserStore, Warned
from shared.model.profile import ImportPolicy, Precondition, Profile, holds

NO_ADMINISTRATOR = "NO_ADMINISTRATOR"
ROLE_UNKNOWN = "ROLE_UNKNOWN"
MFA_BLOCKED = "MFA_LOGIN_BLOCKED"
CA_BLOCKS = "CA_BLOCKS_LOGIN"
EVERYTHING = "All"
PASSWORD_CLIENTS = frozenset({"all", "other", "mobileAppsAndDesktopClients"})
"""Kinds of client that a password sign-in of a product counts as; a browser's is none."""


def administrators(policy: ImportPolicy, users: Iterable[ImportedUser]) -> list[str]:
    """Principal names of the present users who hold the role that one must hold."""
    needed = policy.require_at_least_one
    return [
        user.user_principal_name
        for user in users
        if needed and user.state == "imported" and user.role == needed
    ]


def no_administrator(policy: ImportPolicy, holders: Sequence[str]) -> tuple[Warned, ...]:
    if holders or not policy.require_at_least_one:
        return ()
    needed = policy.require_at_least_one
    return (
        Warned(
            code=NO_ADMINISTRATOR,
            message=f"No imported user is {needed}.",
            next_step=f"Give one user the role {needed} (PATCH /api/connections/<name>/users) "
            "before the sign-in is switched over.",
        ),
    )


def unknown_roles(policy: ImportPolicy | None, roles: Mapping[str, str]) -> list[str]:
    """Names of the users whose role is not one of the product's."""
    offered = policy.roles if policy else ()
    return [name for name, role in roles.items() if role not in offered]


def with_roles(store: UserStore, roles: Mapping[str, str]) -> tuple[UserStore, list[str]]:
    """The users with new roles, by principal name or id, and the names that no user has."""
    wanted = {name.casefold(): (name, role) for name, role in roles.items()}
    met: set[str] = set()
    users: list[ImportedUser] = []
    for user in store.users:
        changed = user
        for key in (user.user_principal_name.casefold(), user.id.casefold()):
            if key in wanted and user.state == "imported":
                met.add(key)
                changed = replace(changed, role=wanted[key][1])
        users.append(changed)
    return replace(store, users=tuple(users)), [wanted[key][0] for key in wanted if key not in met]


def check_domain(domain: str, verified: Collection[str]) -> None:
    """Raise `NeedsHuman` unless the tenant has verified *domain*; none given is right."""
    if not domain or domain.casefold() in {name.casefold() for name in verified}:
        return
    raise NeedsHuman(
        "DOMAIN_UNVERIFIED",
        f"{domain} is not a verified domain of the tenant; it has {', '.join(sorted(verified))}.",
        "Correct the input domain, or verify the domain in Entra ID.",
    )


def open_preconditions(profile: Profile, connection: Connection) -> list[Precondition]:
    """Manual preconditions of the sign-in that nobody has acknowledged."""
    features = {**connection.spec.features, "login": True}
    return [
        held
        for held in profile.preconditions
        if held.kind == "manual"
        and holds(held.when, features)
        and held.id not in connection.acknowledged
    ]


def policies_that_hit(
    policies: Iterable[AccessPolicy], client_id: str, store: UserStore
) -> list[str]:
    """Names of enabled Conditional Access policies that meet the app's password sign-in.

    A simple reading: a policy for a directory role counts, as roles change without notice.
    """
    users = {user.id for user in store.present()}
    groups = {group.id for group in store.groups}
    return [
        policy.name
        for policy in policies
        if policy.state == "enabled"
        and policy.controls
        and (not policy.client_types or PASSWORD_CLIENTS & set(policy.client_types))
        and {EVERYTHING, client_id} & policy.applications
        and client_id not in policy.excluded_applications
        and _in_scope(policy, users, groups)
    ]


def _in_scope(policy: AccessPolicy, users: set[str], groups: set[str]) -> bool:
    if users and users <= policy.excluded_users:
        return False
    return bool(
        EVERYTHING in policy.users
        or policy.users & (users - policy.excluded_users)
        or policy.groups & groups
        or policy.roles
    )


def blocked_by(names: Sequence[str]) -> Warned:
    return Warned(
        code=CA_BLOCKS,
        message=f"Conditional Access policies that hit this app: {', '.join(names)}.",
        next_step="Exclude the app or its users in these policies, or use SAML single sign-on; "
        "Keyturn changes no policy.",
    )


def mfa_blocked(names: Sequence[str]) -> Warned:
    return Warned(
        code=MFA_BLOCKED,
        message=f"Password sign-in cannot satisfy MFA, which {len(names)} imported users have: "
        f"{some(names)}.",
        next_step="Use SAML single sign-on for these users; Keyturn changes no policy.",
    )


def some(names: Sequence[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return f"{', '.join(names[:5])}{more}"
