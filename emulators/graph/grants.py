"""Application permissions: app role assignments between service principals."""

from typing import Any

from emulators.graph.auditing import audited
from emulators.graph.errors import bad_request, not_found
from emulators.graph.ids import is_guid
from emulators.graph.objects import by_key
from emulators.graph.permissions import APP_READ, GRANT
from emulators.graph.routing import Answer, Call, route
from emulators.graph.schema import validated

NO_ROLE = "00000000-0000-0000-0000-000000000000"
REVOKE = "AppRoleAssignment.ReadWrite.All"
INVALID_REFERENCE = "Not a valid reference update."


def _side(call: Call) -> str:
    """Which end of the assignment the path names."""
    return "principalId" if "/approleassignments" in call.path.lower() else "resourceId"


def _create(call: Call) -> Answer:
    values = validated(
        "appRoleAssignment", call.body, required=("principalId", "resourceId", "appRoleId")
    )
    for name in ("principalId", "resourceId", "appRoleId"):
        if not is_guid(values[name]):
            raise bad_request(f"Invalid value specified for property '{name}' of resource.")
    named = by_key(call, "servicePrincipal", call.target)
    if named.id != values[_side(call)].lower():
        raise bad_request(INVALID_REFERENCE)
    tenant = call.tenant
    principal = tenant.find(values["principalId"], ("servicePrincipal", "group"))
    resource = tenant.find(values["resourceId"], ("servicePrincipal",))
    user = tenant.users.get(values["principalId"])
    if (principal is None and user is None) or resource is None:
        raise bad_request(INVALID_REFERENCE)
    role_id = values["appRoleId"].lower()
    roles = {role["id"]: role for role in resource.body["appRoles"] if role["isEnabled"]}
    if role_id not in roles and not (role_id == NO_ROLE and not roles):
        raise bad_request(
            f"Permission being assigned was not found on application '{resource.body['appId']}'."
        )
    grant = make_grant(call.tenant, values["principalId"].lower(), resource.id, role_id)
    value = roles.get(role_id, {}).get("value")
    audited(
        call,
        "Add app role assignment to service principal",
        "Assign",
        resource,
        changed={
            "AppRole.Id": (None, role_id),
            "AppRole.Value": (None, value),
            "ServicePrincipal.ObjectID": (None, grant["principalId"]),
        },
        others=[grant["principalId"]],
    )
    location = f"https://graph.microsoft.com/v2/{tenant.id}/appRoleAssignments/{grant['id']}"
    context = call.context("appRoleAssignments/$entity")
    return Answer(201, {"@odata.context": context} | grant, {"Location": location})


def make_grant(
    tenant: Any, principal_id: str, resource_id: str, role_id: str, *, settled: bool = False
) -> dict[str, Any]:
    for grant in tenant.app_roles.true_values():
        if (grant["principalId"], grant["resourceId"], grant["appRoleId"]) == (
            principal_id,
            resource_id,
            role_id,
        ):
            raise bad_request("Permission being assigned already exists on the object")
    principal = tenant.find(principal_id)
    kinds = {"servicePrincipal": "ServicePrincipal", "group": "Group"}
    made = {
        "id": tenant.ids.joined(principal_id),
        "deletedDateTime": None,
        "appRoleId": role_id,
        "createdDateTime": tenant.stamp(fraction=True),
        "principalDisplayName": tenant.name_of(principal_id),
        "principalId": principal_id,
        "principalType": kinds[principal.kind] if principal else "User",
        "resourceDisplayName": tenant.name_of(resource_id),
        "resourceId": resource_id,
    }
    tenant.app_roles.add(made["id"], made, settled=settled)
    return made


def _listing(call: Call) -> Answer:
    if call.path.lower().startswith("/users/"):
        identity = call.tenant.user(call.target)["id"]
    else:
        identity = by_key(call, "servicePrincipal", call.target).id
    side = _side(call)
    other = "resourceId" if side == "principalId" else "principalId"
    items = [
        grant
        for grant in call.tenant.app_roles.values()
        # A deleted principal takes its grants out of sight; they come back with it.
        if grant[side] == identity and call.tenant.exists(grant[other])
    ]
    query = call.options("appRoleAssignment")
    if query.filter is not None and "appRoleId" in query.filter.properties:
        raise bad_request("Filter on property 'appRoleId' is not supported.")
    return call.listing(
        "appRoleAssignment", items, lambda grant: grant, resource="appRoleAssignments"
    )


def _one(call: Call) -> dict[str, Any]:
    entity = by_key(call, "servicePrincipal", call.target)
    grant = call.tenant.app_roles.read(call.params["grant"])
    if grant is None or grant[_side(call)] != entity.id:
        raise not_found(call.params["grant"])
    return grant


def _read(call: Call) -> Answer:
    return call.single("appRoleAssignment", _one(call), resource="appRoleAssignments")


def _revoke(call: Call) -> Answer:
    grant = _one(call)
    if call.tenant.app_roles.truth(grant["id"]) is None:
        raise not_found(grant["id"])
    call.tenant.app_roles.remove(grant["id"])
    entity = by_key(call, "servicePrincipal", call.target)
    audited(
        call,
        "Remove app role assignment from service principal",
        "Unassign",
        entity,
        changed={"AppRole.Id": (grant["appRoleId"], None)},
        others=[grant["principalId"]],
    )
    return Answer(204)


for _path in (
    "/servicePrincipals/{id}/appRoleAssignments",
    "/servicePrincipals/{id}/appRoleAssignedTo",
):
    route("POST", _path, GRANT)(_create)
    route("GET", _path, APP_READ)(_listing)
    route("GET", _path + "/$count", APP_READ)(_listing)
    route("GET", _path + "/{grant}", APP_READ)(_read)
    route("DELETE", _path + "/{grant}", REVOKE)(_revoke)
route("GET", "/users/{id}/appRoleAssignments", "Directory.Read.All|Directory.ReadWrite.All")(
    _listing
)
