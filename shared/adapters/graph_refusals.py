"""What a refusal of Graph means for the automation: what its token holds, what the call needs.

Source: the permission tables of Graph v1.0's reference; Entra built-in roles.
"""

import re

from shared.errors import NeedsHuman
from shared.planning.consent import BY_HAND

WRITE = "POST|PATCH|DELETE"
OWNING = ("Application.ReadWrite.OwnedBy", "Application.ReadWrite.All")
APPLICATIONS = ("Application.Read.All", "Application.ReadWrite.All", "Directory.Read.All")
DIRECTORY = ("Directory.Read.All", "Directory.ReadWrite.All")

NEEDS: tuple[tuple[str, str, tuple[tuple[str, ...], ...]], ...] = (
    (WRITE, r"/appRoleAssign", (("AppRoleAssignment.ReadWrite.All",), APPLICATIONS)),
    (WRITE, r"/oauth2PermissionGrants", (("DelegatedPermissionGrant.ReadWrite.All",),)),
    ("GET", r"/oauth2PermissionGrants", (DIRECTORY,)),
    (
        WRITE,
        r"/roleManagement/directory/roleAssignments",
        (("RoleManagement.ReadWrite.Directory",),),
    ),
    (
        "GET",
        r"/roleManagement/directory/role(Eligibility|Assignment)Schedule",
        (("RoleEligibilitySchedule.Read.Directory", "RoleManagement.Read.Directory"),),
    ),
    ("GET", r"/roleManagement/", (("RoleManagement.Read.Directory", *DIRECTORY),)),
    ("POST", r"/applications/[^/]+/owners", (OWNING, DIRECTORY)),
    (WRITE, r"/(applications|servicePrincipals)", (OWNING,)),
    ("GET", r"/(applications|servicePrincipals|directory/deletedItems)", (APPLICATIONS,)),
    ("GET", r"/users", (("User.Read.All", *DIRECTORY),)),
    ("GET", r"/groups", (("Group.Read.All", "GroupMember.Read.All", *DIRECTORY),)),
    ("GET", r"/organization", (("Organization.Read.All", *DIRECTORY),)),
    ("GET", r"/policies/", (("Policy.Read.All",),)),
    ("GET", r"/(reports|auditLogs)/", (("AuditLog.Read.All",),)),
    ("GET", r"/directory/administrativeUnits", (("AdministrativeUnit.Read.All", *DIRECTORY),)),
)
"""Method, path, and what must be held: one of each group, the least first."""

GRANTING = re.compile(rf"({WRITE}) .*/(appRoleAssign|oauth2PermissionGrants)", re.IGNORECASE)
OWNED = re.compile(rf"({WRITE}) .*/(applications|servicePrincipals)", re.IGNORECASE)


def needed(call: str) -> tuple[tuple[str, ...], ...]:
    """What *call*, a method and a path, needs; nothing where the table does not know it."""
    method, _, path = call.partition(" ")
    for methods, part, groups in NEEDS:
        if method in methods.split("|") and re.search(part, path, re.IGNORECASE):
            return groups
    return ()


def explained(refusal: NeedsHuman, call: str, held: frozenset[str]) -> NeedsHuman:
    """The refusal of a call as what it is for the automation, whose token holds *held*."""
    lacking = [group[0] for group in needed(call) if not held & set(group)]
    told = f"{refusal.message} {_told(call, held)}"
    if refusal.code == "EMPTY_403" or lacking:
        code = "EMPTY_403" if refusal.code == "EMPTY_403" else "AUTOMATION_PRIVILEGE"
        return NeedsHuman(code, told, _remedy(refusal, lacking))
    if GRANTING.match(call):
        return NeedsHuman(
            "CONSENT_DENIED",
            told,
            "Look for a policy of the tenant that keeps applications from granting consent, or "
            f"have an administrator grant it in the portal; then send the request again. {BY_HAND}",
        )
    if OWNED.match(call) and refusal.code == "AUTOMATION_PRIVILEGE":
        return NeedsHuman(
            "AUTOMATION_NOT_OWNER",
            f"{told} The permission reaches only what the automation owns.",
            "Have one of the application's owners add the automation's service principal as an "
            "owner of it, then send the request again.",
        )
    return NeedsHuman(refusal.code, told, refusal.remedy)


def _told(call: str, held: frozenset[str]) -> str:
    needs = " and ".join(group[0] for group in needed(call)) or "one that its reference names"
    return f"The token holds {', '.join(sorted(held)) or 'none'}; the call needs {needs}."


def _remedy(refusal: NeedsHuman, lacking: list[str]) -> str:
    if lacking:
        return (
            f"Grant the automation's identity {', '.join(lacking)} (see docs/deployment.md), then "
            "send the same request again."
        )
    return f"{refusal.remedy} What it needs is held: look for a policy that denies it all the same."
