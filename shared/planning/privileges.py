"""What the automation's own identity must hold for one connection.

Source: least privileges in Microsoft's permissions reference; docs/deployment.md has the matrix.
"""

from collections.abc import Collection, Iterable

from shared.model.connection import Spec, Value
from shared.model.directory import Kind
from shared.model.profile import Profile, fill
from shared.planning.access import Access
from shared.planning.advice import ANYBODY
from shared.planning.discovery import is_wanted
from shared.planning.templates import profile_inputs

GLOBAL_ADMINISTRATOR = frozenset(
    {"AppRoleAssignment.ReadWrite.All", "RoleManagement.ReadWrite.Directory"}
)
"""Equal to Global Administrator in effect: whoever holds them can give themselves everything."""


class Need(Value, frozen=True, omit_defaults=False):
    """An application permission of Microsoft Graph, and what it is needed for."""

    permission: str  # the least that does
    why: str  # "needed to ..."
    instead: tuple[str, ...] = ()  # others that do, too
    required: bool = True  # without the others something is left out, nothing fails


READ_DIRECTORY = ("Directory.Read.All", "Directory.ReadWrite.All")

REGISTER = Need(
    permission="Application.ReadWrite.OwnedBy",
    why="register the application and keep its credentials",
    instead=("Application.ReadWrite.All",),
)
GRANT = Need(permission="AppRoleAssignment.ReadWrite.All", why="grant application permissions")
READ_APIS = Need(
    permission="Application.Read.All",
    why="find the permissions of APIs, without which granting them is refused",
    instead=("Application.ReadWrite.All", *READ_DIRECTORY),
)
CONSENT = Need(
    permission="DelegatedPermissionGrant.ReadWrite.All", why="grant delegated permissions"
)
READ_GRANTS = Need(
    permission="Directory.Read.All",
    why="read grants back",
    instead=("Directory.ReadWrite.All", "DelegatedPermissionGrant.ReadWrite.All"),
)
ASSIGN = Need(permission="RoleManagement.ReadWrite.Directory", why="assign directory roles")
POLICY = Need(
    permission="Policy.Read.All",
    why="know before the first write what secrets the tenant allows",
)
USERS = Need(
    permission="User.Read.All", why="read users", instead=(*READ_DIRECTORY, "User.ReadWrite.All")
)
GROUPS = Need(
    permission="Group.Read.All",
    why="read groups and their members",
    instead=("GroupMember.Read.All", *READ_DIRECTORY, "Group.ReadWrite.All"),
)
ROLES = Need(
    permission="RoleManagement.Read.Directory",
    why="read who holds directory roles",
    instead=("RoleManagement.ReadWrite.Directory", *READ_DIRECTORY),
)
ELIGIBLE = Need(
    permission="RoleEligibilitySchedule.Read.Directory",
    why="count eligible holders of roles, too",
    instead=("RoleManagement.ReadWrite.Directory", "RoleManagement.Read.Directory"),
    required=False,
)
SIGN_IN_METHODS = Need(permission="AuditLog.Read.All", why="know which users have registered MFA")


def needs(profile: Profile, spec: Spec, access: Access) -> tuple[Need, ...]:
    """Everything that onboarding *spec* and keeping it will take, each once."""
    kinds = {permission.kind for permission in access.permissions}
    found = [REGISTER, READ_APIS]
    if profile.credential.kept:
        found.append(POLICY)
    if Kind.APPLICATION in kinds:
        found.append(GRANT)
    if Kind.DELEGATED in kinds:
        found.append(CONSENT)
    if kinds:
        found.append(READ_GRANTS)
    if access.roles:
        found.append(ASSIGN)
    if ANYBODY & set(access.roles):
        found += [USERS, GROUPS, ROLES, ELIGIBLE]  # the role advisor reads whom it must cover
    found += _discovery(profile, spec)
    values = profile_inputs(profile, spec)
    if any(fill(owner, values).strip() for owner in profile.registration.owners):
        found.append(USERS)
    return tuple(dict.fromkeys(found))


def _discovery(profile: Profile, spec: Spec) -> list[Need]:
    wanted = profile.discovery
    if wanted is None or not is_wanted(wanted, spec.features):
        return []
    found = [USERS]
    if set(wanted.modes) - {"users"}:
        found.append(GROUPS)
    if "roles" in wanted.modes or "directoryRole" in wanted.entities:
        found += [ROLES, ELIGIBLE]
    if any(skip.fact == "mfa_registered" and skip.policy != "ignore" for skip in wanted.skip):
        found.append(SIGN_IN_METHODS)
    return found


def unmet(wanted: Iterable[Need], held: Collection[str]) -> tuple[Need, ...]:
    return tuple(need for need in wanted if not {need.permission, *need.instead} & set(held))
