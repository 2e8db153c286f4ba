"""Which application permissions each call needs.

A row: method, path, then the sufficient permissions, "|" between alternatives and "+" where
one permission needs another beside it (Microsoft's permissions reference, August 2026).
"""

from emulators.graph.errors import denied

APP_READ = (
    "Application.Read.All|Application.ReadWrite.OwnedBy|Application.ReadWrite.All|"
    "Directory.Read.All|Directory.ReadWrite.All"
)
APP_WRITE = "Application.ReadWrite.OwnedBy|Application.ReadWrite.All"
APP_CREDENTIAL = f"{APP_WRITE}|Directory.ReadWrite.All"
OWNERS_WRITE = (
    "Application.ReadWrite.OwnedBy+Directory.Read.All|"
    "Application.ReadWrite.All+Directory.Read.All|"
    "Application.ReadWrite.All+Application.Read.All|Directory.ReadWrite.All"
)
GRANT = (
    "AppRoleAssignment.ReadWrite.All+Application.Read.All|"
    "AppRoleAssignment.ReadWrite.All+Directory.Read.All"
)
CONSENT_READ = "Directory.Read.All|DelegatedPermissionGrant.ReadWrite.All|Directory.ReadWrite.All"
CONSENT_WRITE = "DelegatedPermissionGrant.ReadWrite.All|Directory.ReadWrite.All"
ROLE_READ = (
    "RoleManagement.Read.Directory|RoleManagement.ReadWrite.Directory|Directory.Read.All|"
    "Directory.ReadWrite.All"
)
ROLE_WRITE = "RoleManagement.ReadWrite.Directory"
SCHEDULE_READ = (
    "RoleManagement.Read.All|RoleManagement.Read.Directory|RoleManagement.ReadWrite.Directory"
)
UNIT_READ = (
    "AdministrativeUnit.Read.All|AdministrativeUnit.ReadWrite.All|Directory.Read.All|"
    "Directory.ReadWrite.All"
)
UNIT_WRITE = "AdministrativeUnit.ReadWrite.All|Directory.ReadWrite.All"
USER_READ = (
    "User.ReadBasic.All|User.ReadWrite.All|Directory.Read.All|Directory.ReadWrite.All|User.Read.All"
)
USER_WRITE = "User.ReadWrite.All|Directory.ReadWrite.All"
USER_PATCH = (
    f"{USER_WRITE}|User-PasswordProfile.ReadWrite.All|User.EnableDisableAccount.All|"
    "User.ManageIdentities.All"
)
GROUP_READ = (
    "Group.ReadBasic.All|Directory.Read.All|Directory.ReadWrite.All|Group.Read.All|"
    "Group.ReadWrite.All|GroupMember.Read.All"
)
GROUP_WRITE = "Group.ReadWrite.All|Directory.ReadWrite.All"
MEMBER_READ = f"{GROUP_READ}|GroupMember.ReadBasic.All|GroupMember.ReadWrite.All"
MEMBER_WRITE = f"GroupMember.ReadWrite.All|{GROUP_WRITE}"
MEMBER_OF = f"{USER_READ}|{GROUP_READ}"
AUDIT = "AuditLog.Read.All"
ORGANIZATION = (
    "Directory.Read.All|Directory.ReadWrite.All|Organization.Read.All|"
    "Organization.ReadWrite.All|User.Read.All"
)
OBJECT_READ = "Directory.Read.All|Directory.ReadWrite.All"
DELETED = (
    f"{APP_WRITE}|User.DeleteRestore.All|User.ReadWrite.All|Group.ReadWrite.All|"
    "Directory.ReadWrite.All"
)
DELETED_READ = f"{DELETED}|Application.Read.All|Directory.Read.All|User.Read.All|Group.Read.All"
ACCESS_POLICY_READ = "Policy.Read.All|Policy.ReadWrite.ConditionalAccess"
POLICY_READ = "Policy.Read.All|Policy.ReadWrite.ApplicationConfiguration"


def sufficient(text: str) -> list[frozenset[str]]:
    return [frozenset(part.split("+")) for part in text.split("|")]


BROAD = {
    "Directory.ReadWrite.All": 9,
    "AppRoleAssignment.ReadWrite.All": 8,
    "RoleManagement.ReadWrite.Directory": 8,
    "Directory.Read.All": 4,
    "RoleManagement.Read.All": 3,
    "Group.Read.All": 3,  # conversations, too
}
"""Permissions that reach further than their kind does."""


def weight(permission: str) -> int:
    """How much a permission allows, compared with others; its name says most of it."""
    if permission in BROAD:
        return BROAD[permission]
    if ".ReadBasic." in permission:
        return 1
    if ".Read." in permission:
        return 2
    return 5 if permission.endswith(".OwnedBy") else 6


class Needs:
    """The alternatives of one call, the least privileged ones first."""

    def __init__(self, text: str) -> None:
        self._alternatives = sorted(
            sufficient(text), key=lambda each: sorted(map(weight, each), reverse=True)
        )

    def check(self, held: frozenset[str]) -> frozenset[str]:
        """The least of what is held that suffices; raises `GraphError` 403 when nothing does."""
        for alternative in self._alternatives:
            if alternative <= held:
                return alternative
        raise denied()
