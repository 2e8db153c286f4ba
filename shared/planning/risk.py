"""How risky permissions and roles are, and what must be approved before they are granted."""

import re
from typing import Literal

from shared.errors import NeedsHuman
from shared.model.connection import Approval
from shared.model.directory import GRAPH_APP_ID
from shared.model.profile import RESOURCES
from shared.planning.access import Access

Tier = Literal["direct", "indirect", "normal"]
"""The way to Global Administrator; everything but normal is high risk and needs an approval."""

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

OTHER_APIS: dict[tuple[str, str], Tier] = {
    (
        RESOURCES["exchange-online"],
        "exchange.manageasapp",
    ): "indirect",  # by its directory role
    (RESOURCES["exchange-online"], "full_access_as_app"): "indirect",  # every mailbox: reset mails
    (RESOURCES["sharepoint-online"], "sites.fullcontrol.all"): "indirect",
    (RESOURCES["azure-resource-manager"], "user_impersonation"): "indirect",
}
"""Of APIs besides Graph, by their own names: no published tiering covers them, so these are ours.

Whatever can write everything there, and is not listed, counts as indirect too (`WRITES_ALL`).
"""

WRITES_ALL = re.compile(r"(?:readwrite|fullcontrol|manage)(?:[._].*)?[._]all", re.IGNORECASE)

DIRECT_ROLES = (
    "Global Administrator",
    "Privileged Role Administrator",
    "Privileged Authentication Administrator",
)
"""Directory roles that give, or take over, the role Global Administrator."""

PRIVILEGED_ROLES = frozenset(
    {
        *DIRECT_ROLES,
        "Application Administrator",
        "Application Developer",
        "Authentication Administrator",
        "Authentication Extensibility Administrator",
        "B2C IEF Keyset Administrator",
        "Cloud Application Administrator",
        "Cloud Device Administrator",
        "Conditional Access Administrator",
        "Directory Synchronization Accounts",
        "Directory Writers",
        "Domain Name Administrator",
        "External Identity Provider Administrator",
        "Global Reader",
        "Helpdesk Administrator",
        "Hybrid Identity Administrator",
        "Intune Administrator",
        "Lifecycle Workflows Administrator",
        "Password Administrator",
        "Security Administrator",
        "Security Operator",
        "Security Reader",
        "User Administrator",
    }
)
"""Directory roles that Microsoft marks as privileged ("Microsoft Entra built-in roles")."""

ORDINARY_ACCOUNTS_ONLY = frozenset({"Helpdesk Administrator", "Password Administrator"})
"""Privileged, yet good for accounts without an administrator's role only: they need no approval."""

AZURE_OWNERS = frozenset(
    {
        "owner",
        "user access administrator",
        "role based access control administrator",
    }
)
"""Roles in Azure that can give any other; at the tenant's root group they reach every identity."""

WHOLE_TENANT = "tenant_root_group"

_DIRECT = frozenset(name.lower() for name in DIRECT)
_INDIRECT = frozenset(name.lower() for name in INDIRECT)
_DIRECT_ROLES = frozenset(name.lower() for name in DIRECT_ROLES)
_PRIVILEGED = frozenset(name.lower() for name in PRIVILEGED_ROLES)
_ORDINARY = frozenset(name.lower() for name in ORDINARY_ACCOUNTS_ONLY)


def tier(name: str, resource: str = GRAPH_APP_ID) -> Tier:
    """How a permission of an API (by application id) leads to Global Administrator."""
    # In any letter case, as `resolve` finds it: no spelling may get around the approval.
    known = name.lower()
    if resource != GRAPH_APP_ID:
        if (resource, known) in OTHER_APIS:
            return OTHER_APIS[resource, known]
        return "indirect" if WRITES_ALL.search(known) else "normal"
    return "direct" if known in _DIRECT else "indirect" if known in _INDIRECT else "normal"


def role_tier(role: str) -> Tier:
    """The same for a directory role; those that act on ordinary accounts only are normal."""
    known = role.lower()
    if known in _DIRECT_ROLES:
        return "direct"
    return "indirect" if known in _PRIVILEGED and known not in _ORDINARY else "normal"


def is_privileged(role: str) -> bool:
    """Whether Microsoft marks a directory role as privileged."""
    return role.lower() in _PRIVILEGED


def azure_role_tier(role: str, scope: str) -> Tier:
    """The same for a role in Azure; a person assigns it, so its tier is shown and not held."""
    known = role.lower()
    if known in AZURE_OWNERS:
        return "direct" if scope == WHOLE_TENANT else "indirect"
    return "indirect" if known == "contributor" else "normal"


def high_risk(access: Access) -> tuple[str, ...]:
    """Names that somebody with the approver role must approve before they are granted."""
    permissions = [p.name for p in access.permissions if tier(p.name, p.resource) != "normal"]
    roles = [role for role in access.roles if role_tier(role) != "normal"]
    return tuple(dict.fromkeys(permissions + roles))


def require_approval(access: Access, approval: Approval | None) -> None:
    """Raise `NeedsHuman` APPROVAL_PENDING while high-risk items have no approval.

    One that was given for a smaller set, before the profile grew, does not cover the rest.
    """
    risky = uncovered(access, approval)
    if risky:
        raise NeedsHuman(
            "APPROVAL_PENDING",
            f"These are a path to Global Administrator and need approval: {', '.join(risky)}.",
            "Somebody with the app role Keyturn.Approver, who did not ask for it, posts to "
            "/api/connections/{name}/approval with a reason; or the request accepts the narrower "
            "permissions that the profile offers.",
        )


def uncovered(access: Access, approval: Approval | None) -> tuple[str, ...]:
    """High-risk names that the approval, if there is one, is not for."""
    covered = {name.lower() for name in approval.covers} if approval else set()
    return tuple(name for name in high_risk(access) if name.lower() not in covered)
