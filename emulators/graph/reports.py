"""Registration details of users, and the audit log."""

from typing import Any

from emulators.graph.errors import bad_request, not_found
from emulators.graph.permissions import AUDIT
from emulators.graph.routing import Answer, Call, route
from emulators.graph.state import Tenant

DETAILS = "/reports/authenticationMethods/userRegistrationDetails"
METHODS: tuple[list[str], ...] = (
    ["microsoftAuthenticatorPush", "softwareOneTimePasscode"],
    ["mobilePhone"],
    [],
    ["fido2SecurityKey", "email"],
)


def details(tenant: Tenant, identity: str) -> dict[str, Any] | None:
    user = tenant.users.get(identity)
    if user is None:
        return None
    number = int(identity[:8], 16)
    methods = METHODS[number % 4]
    if identity in tenant.mfa:
        methods = METHODS[0] if tenant.mfa[identity] else METHODS[2]
    strong = [method for method in methods if method != "email"]
    admin = any(i["principalId"] == identity for i in tenant.role_assignments.true_values())
    return {
        "id": identity,
        "userPrincipalName": user["userPrincipalName"],
        "userDisplayName": user["displayName"],
        "userType": str(user["userType"]).lower(),
        "isAdmin": admin,
        "isSsprRegistered": bool(methods),
        "isSsprEnabled": True,
        "isSsprCapable": bool(methods),
        "isMfaRegistered": bool(strong),
        "isMfaCapable": bool(strong),
        "isPasswordlessCapable": "fido2SecurityKey" in methods,
        "methodsRegistered": methods,
        "isSystemPreferredAuthenticationMethodEnabled": False,
        "systemPreferredAuthenticationMethods": [],
        # Outside its own enumeration, as in Microsoft's sample.
        "userPreferredMethodForSecondaryAuthentication": "push" if strong else "",
        "lastUpdatedDateTime": f"2026-08-{number % 28 + 1:02d}T06:00:00Z",
    }


@route("GET", DETAILS, AUDIT)
@route("GET", DETAILS + "/$count", AUDIT)
def list_details(call: Call) -> Answer:
    unsupported = {"$expand", "$search"} & call.query.keys()
    if unsupported:
        raise bad_request(f"The query option '{min(unsupported)}' is not supported.")
    tenant = call.tenant
    return call.listing(
        "userRegistrationDetails",
        tenant.users,
        lambda identity: details(tenant, identity),
        resource="reports/authenticationMethods/userRegistrationDetails",
    )


@route("GET", DETAILS + "/{user}", AUDIT)
def read_details(call: Call) -> Answer:
    found = details(call.tenant, call.params["user"])
    if found is None:
        raise not_found(call.params["user"])
    return call.single(
        "userRegistrationDetails",
        found,
        resource="reports/authenticationMethods/userRegistrationDetails",
    )


@route("GET", "/auditLogs/directoryAudits", f"{AUDIT}|Directory.Read.All")
def list_audits(call: Call) -> Answer:
    return call.listing(
        "directoryAudit",
        call.tenant.audit.entries[::-1],
        lambda entry: entry,
        resource="auditLogs/directoryAudits",
    )


@route("GET", "/auditLogs/directoryAudits/{entry}", f"{AUDIT}|Directory.Read.All")
def read_audit(call: Call) -> Answer:
    for entry in call.tenant.audit.entries:
        if entry["id"] == call.params["entry"]:
            return call.single("directoryAudit", entry, resource="auditLogs/directoryAudits")
    raise not_found(call.params["entry"])
