"""How risky permissions and roles are, and what must be approved before they are granted."""

from shared.errors import NeedsHuman
from shared.model.connection import Approval
from shared.planning.access import Access

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

_DIRECT = frozenset(name.lower() for name in DIRECT)
_INDIRECT = frozenset(name.lower() for name in INDIRECT)


def tier(name: str) -> str:
    """``direct``, ``indirect`` or ``normal``: how a permission leads to Global Administrator."""
    # In any letter case, as `resolve` finds it: no spelling may get around the approval.
    known = name.lower()
    return "direct" if known in _DIRECT else "indirect" if known in _INDIRECT else "normal"


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
