"""What a profile with its features asks for: permissions and roles, and how risky they are."""

from collections.abc import Iterable, Mapping, Sequence

from shared.errors import NeedsHuman
from shared.model.connection import Approval, Spec, Value
from shared.model.directory import Kind, Permission, Resource
from shared.model.profile import RESOURCES, Profile, holds

DIRECT = frozenset(
    {
        "RoleManagement.ReadWrite.Directory",
        "RoleAssignmentSchedule.ReadWrite.Directory",
        "PrivilegedAccess.ReadWrite.AzureADGroup",
        "PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup",
        "UserAuthenticationMethod.ReadWrite.All",
        "User.DeleteRestore.All",
        "User.EnableDisableAccount.All",
        "Policy.ReadWrite.ConditionalAccess",
    }
)
"""Permissions that are a direct path to Global Administrator.

Source: the tiering of application permissions by Emilien Socchi (azure-tiering v2.1.0), as
Maester's test for high-risk permissions uses it.
"""

INDIRECT = frozenset(
    {
        "AppRoleAssignment.ReadWrite.All",
        "Application.ReadWrite.All",
        "Application.ReadWrite.OwnedBy",
        "Directory.ReadWrite.All",
        "Group.ReadWrite.All",
        "GroupMember.ReadWrite.All",
        "User.ReadWrite.All",
        "User-PasswordProfile.ReadWrite.All",
        "AdministrativeUnit.ReadWrite.All",
        "EntitlementManagement.ReadWrite.All",
        "RoleEligibilitySchedule.ReadWrite.Directory",
        "RoleManagementPolicy.ReadWrite.Directory",
        "RoleManagementPolicy.ReadWrite.AzureADGroup",
        "PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup",
        "Policy.ReadWrite.PermissionGrant",
        "Policy.ReadWrite.AuthenticationMethod",
        "Domain.ReadWrite.All",
        "Organization.ReadWrite.All",
        "DeviceManagementConfiguration.ReadWrite.All",
        "DeviceManagementRBAC.ReadWrite.All",
    }
)
"""Permissions that lead there by a detour. Same source."""

PRIVILEGED_ROLES = frozenset(
    {
        "Global Administrator",
        "Privileged Role Administrator",
        "Privileged Authentication Administrator",
        "Authentication Administrator",
        "User Administrator",
        "Helpdesk Administrator",
        "Application Administrator",
        "Cloud Application Administrator",
        "Global Reader",
    }
)
"""Directory roles that Microsoft marks as privileged."""

VENDOR_ROLE_IS_ENOUGH = frozenset({"Helpdesk Administrator"})
"""Privileged roles that need no approval: they can act on ordinary accounts only."""


class WantedPermission(Value, frozen=True):
    """A permission by name, before the tenant has been asked for its id."""

    resource: str  # application id
    kind: Kind
    name: str


class Access(Value, frozen=True):
    """Everything that a connection is to be given."""

    permissions: tuple[WantedPermission, ...]
    roles: tuple[str, ...]
    swapped: tuple[str, ...] = ()


_DIRECT = frozenset(name.lower() for name in DIRECT)
_INDIRECT = frozenset(name.lower() for name in INDIRECT)


def tier(name: str) -> str:
    """``direct``, ``indirect`` or ``normal``: how a permission leads to Global Administrator."""
    # In any letter case, as `resolve` finds it: no spelling may get around the approval.
    known = name.lower()
    return "direct" if known in _DIRECT else "indirect" if known in _INDIRECT else "normal"


def plan_access(profile: Profile, spec: Spec) -> Access:
    """The union of all entries whose conditions hold, with the accepted swaps applied."""
    swaps = {
        (swap.kind, swap.instead_of): swap.use
        for swap in profile.least_privilege
        if swap.instead_of in spec.accept_swaps and holds(swap.when, spec.features)
    }
    found: dict[WantedPermission, None] = {}
    for entry in profile.permissions:
        if entry.advisory or not holds(entry.when, spec.features):
            continue
        for name in entry.names:
            used = swaps.get((entry.kind, name), name)
            found[WantedPermission(RESOURCES[entry.resource], entry.kind, used)] = None
    return Access(
        permissions=tuple(found),
        roles=tuple(_role(entry, spec.features) for entry in _roles(profile, spec.features)),
        swapped=tuple(sorted(name for _, name in swaps)),
    )


def _roles(profile: Profile, features: Mapping[str, bool]) -> list[tuple[str, tuple[str, ...]]]:
    return [
        (entry.role, entry.escalate_to)
        for entry in profile.directory_roles
        if holds(entry.when, features)
    ]


def _role(entry: tuple[str, tuple[str, ...]], features: Mapping[str, bool]) -> str:
    """The vendor's role, or the first one it escalates to when admins are among the targets."""
    role, escalations = entry
    return escalations[0] if escalations and features.get("admin_targets") else role


def resolve(wanted: Iterable[WantedPermission], resource: Resource) -> tuple[Permission, ...]:
    """Find each name, in any letter case, among what the API offers.

    Raises `NeedsHuman` PERM_UNKNOWN naming all that are missing, with what was probably meant.
    """
    offered = {(p.key.kind, p.name.lower()): p for p in resource.permissions}
    wanted = tuple(wanted)
    missing = [w for w in wanted if (w.kind, w.name.lower()) not in offered]
    if missing:
        raise NeedsHuman(
            "PERM_UNKNOWN",
            "; ".join(_unknown(w, resource) for w in missing),
            "Correct the names in the profile; they must exist on the API in this tenant.",
        )
    return tuple(dict.fromkeys(offered[w.kind, w.name.lower()] for w in wanted))


def _unknown(wanted: WantedPermission, resource: Resource) -> str:
    other = [p.key.kind for p in resource.permissions if p.name.lower() == wanted.name.lower()]
    if other:
        return f"{wanted.name} exists as {other[0]} permission only, not as {wanted.kind}"
    import difflib  # seldom needed, and every cold start would pay for it

    names = [p.name for p in resource.permissions if p.key.kind == wanted.kind]
    near = difflib.get_close_matches(wanted.name, names, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    return f"no {wanted.kind} permission {wanted.name} on {resource.app_id}{hint}"


def high_risk(access: Access) -> tuple[str, ...]:
    """Names that somebody with the approver role must approve before they are granted."""
    permissions = [p.name for p in access.permissions if tier(p.name) != "normal"]
    roles = [
        role
        for role in access.roles
        if role in PRIVILEGED_ROLES and role not in VENDOR_ROLE_IS_ENOUGH
    ]
    return tuple(permissions + roles)


def require_approval(access: Access, approval: Approval | None) -> None:
    """Raise `NeedsHuman` APPROVAL_PENDING while high-risk items have no approval.

    One that was given for a smaller set, before the profile grew, does not cover the rest.
    """
    covered = approval.covers if approval else ()
    risky = [name for name in high_risk(access) if name not in covered]
    if risky:
        raise NeedsHuman(
            "APPROVAL_PENDING",
            f"These are a path to Global Administrator and need approval: {', '.join(risky)}.",
            "Somebody with the approver role posts to /api/connections/{name}/approval with a "
            "reason, or the request accepts the narrower permissions that the profile offers.",
        )


def names(permissions: Sequence[Permission]) -> tuple[str, ...]:
    return tuple(sorted(p.name for p in permissions))
