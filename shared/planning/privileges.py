"""What the automation's own identity must hold for one connection.

Source: least privileges in Microsoft's permissions reference; docs/deployment.md has the matrix.
"""

from collections.abc import Sequence

from shared.model.connection import Spec
from shared.model.directory import Kind
from shared.model.profile import Profile, fill
from shared.planning.access import Access
from shared.planning.advice import ANYBODY
from shared.planning.discovery_permissions import (
    ELIGIBLE,
    GROUPS,
    MEMBERS,
    ROLE_MEMBERS,
    ROLES,
    USERS,
    wanted_rights,
)
from shared.planning.need import READ_DIRECTORY, Need
from shared.planning.templates import profile_inputs

GLOBAL_ADMINISTRATOR = frozenset(
    {"AppRoleAssignment.ReadWrite.All", "RoleManagement.ReadWrite.Directory"}
)
"""Equal to Global Administrator in effect: whoever holds them can give themselves everything."""


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
    found += [right.need for right in wanted_rights(profile, spec)]
    values = profile_inputs(profile, spec)
    if any(fill(owner, values).strip() for owner in profile.registration.owners):
        found.append(USERS)
    return tuple(dict.fromkeys(need for need in found if not _is_held_by_others(need, found)))


def _is_held_by_others(need: Need, found: Sequence[Need]) -> bool:
    """Whether it only says less, or less strictly, what another one says."""
    if need in (MEMBERS, ROLE_MEMBERS) and GROUPS in found:
        return True
    return not need.required and any(
        other.required and other.permission == need.permission for other in found
    )
