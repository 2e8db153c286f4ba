"""One harmless read of Graph for each permission that has one, and for each check that is one.

Source: the permission tables of Graph v1.0's reference. Missing are permissions that allow
writing only, those whose reads need somebody's id (mail, files, chats, sign-in methods), and
Application.ReadWrite.OwnedBy, of which sources differ whether it may list applications.
"""

USERS = "/users?$top=1&$select=id"
GROUPS = "/groups?$top=1&$select=id"
ROLES = "/roleManagement/directory/roleDefinitions?$select=id"
APPLICATIONS = "/applications?$top=1&$select=id"
UNITS = "/directory/administrativeUnits?$top=1&$select=id"
SITE = "/sites/root?$select=id"

READS = {
    "list_users": USERS,
    "list_groups": GROUPS,
    "list_role_assignments": "/roleManagement/directory/roleAssignments?$top=1",
    "User.Read.All": USERS,
    "User.ReadBasic.All": USERS,
    "User.ReadWrite.All": USERS,
    "Group.Read.All": GROUPS,
    "Group.ReadWrite.All": GROUPS,
    "GroupMember.Read.All": GROUPS,
    "Directory.Read.All": USERS,
    "Directory.ReadWrite.All": USERS,
    "RoleManagement.Read.Directory": ROLES,
    "RoleManagement.ReadWrite.Directory": ROLES,
    "AdministrativeUnit.Read.All": UNITS,
    "AdministrativeUnit.ReadWrite.All": UNITS,
    "Application.Read.All": APPLICATIONS,
    "Application.ReadWrite.All": APPLICATIONS,
    "Organization.Read.All": "/organization?$select=id",
    "AuditLog.Read.All": "/auditLogs/directoryAudits?$top=1",
    "Policy.Read.All": "/policies/defaultAppManagementPolicy?$select=id",
    "Policy.ReadWrite.AuthenticationMethod": "/policies/authenticationMethodsPolicy?$select=id",
    "Sites.Read.All": SITE,
    "Sites.ReadWrite.All": SITE,
}
