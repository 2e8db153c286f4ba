"""Conditional Access policies, which decide what a sign-in must show (conditionalAccessPolicy)."""

from typing import Any

from emulators.graph.errors import bad_request, not_found
from emulators.graph.permissions import ACCESS_POLICY_READ
from emulators.graph.routing import Answer, Call, route
from emulators.graph.schema import validated
from emulators.graph.state import Tenant

BASE = "/identity/conditionalAccess/policies"
STATES = ("enabled", "disabled", "enabledForReportingButNotEnforced")
APPLICATIONS: dict[str, Any] = {
    "includeApplications": [],
    "excludeApplications": [],
    "includeUserActions": [],
    "includeAuthenticationContextClassReferences": [],
    "applicationFilter": None,
}
USERS: dict[str, Any] = {
    "includeUsers": [],
    "excludeUsers": [],
    "includeGroups": [],
    "excludeGroups": [],
    "includeRoles": [],
    "excludeRoles": [],
    "includeGuestsOrExternalUsers": None,
    "excludeGuestsOrExternalUsers": None,
}
CONDITIONS: dict[str, Any] = {
    "userRiskLevels": [],
    "signInRiskLevels": [],
    "clientAppTypes": ["all"],
    "servicePrincipalRiskLevels": [],
    "platforms": None,
    "locations": None,
    "devices": None,
    "clientApplications": None,
}
MFA: dict[str, Any] = {
    "operator": "OR",
    "builtInControls": ["mfa"],
    "customAuthenticationFactors": [],
    "termsOfUse": [],
}


def make_policy(tenant: Tenant, values: dict[str, Any]) -> dict[str, Any]:
    """A policy as the portal would make it: MFA for what its conditions name."""
    checked = validated("conditionalAccessPolicy", values, required=("displayName",))
    if checked.get("state", STATES[0]) not in STATES:
        raise bad_request(f"Invalid state; known: {', '.join(STATES)}.")
    given = checked.get("conditions", {})
    policy = {
        "id": tenant.ids.guid(),
        "templateId": None,
        "createdDateTime": tenant.stamp(),
        "modifiedDateTime": None,
        "state": STATES[0],
        "grantControls": MFA,
        "sessionControls": None,
        **checked,
        "conditions": {
            **CONDITIONS,
            **given,
            "applications": APPLICATIONS | given.get("applications", {}),
            "users": USERS | given.get("users", {}),
        },
    }
    tenant.access_policies[policy["id"]] = policy
    return policy


@route("GET", BASE, ACCESS_POLICY_READ)
def list_all(call: Call) -> Answer:
    return call.listing(
        "conditionalAccessPolicy",
        list(call.tenant.access_policies.values()),
        lambda policy: policy,
        resource="identity/conditionalAccess/policies",
    )


@route("GET", BASE + "/{policy}", ACCESS_POLICY_READ)
def read(call: Call) -> Answer:
    found = call.tenant.access_policies.get(call.params["policy"])
    if found is None:
        raise not_found(call.params["policy"])
    return call.single(
        "conditionalAccessPolicy", found, resource="identity/conditionalAccess/policies"
    )
