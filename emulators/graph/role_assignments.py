"""Directory roles by roleManagement: definitions, assignments, eligibilities."""

from typing import Any

from emulators.graph import errors
from emulators.graph.auditing import audited
from emulators.graph.errors import bad_request, not_found
from emulators.graph.ids import is_guid, join_guids
from emulators.graph.objects import typed
from emulators.graph.permissions import ROLE_READ, ROLE_WRITE, SCHEDULE_READ
from emulators.graph.routing import Answer, Call, route
from emulators.graph.schema import validated
from emulators.graph.state import Tenant

BASE = "/roleManagement/directory"
ELIGIBLE_READ = (
    "RoleEligibilitySchedule.Read.Directory|RoleEligibilitySchedule.ReadWrite.Directory|"
    + SCHEDULE_READ
)
ACTIVE_READ = (
    "RoleAssignmentSchedule.Read.Directory|RoleAssignmentSchedule.ReadWrite.Directory|"
    + SCHEDULE_READ
)


def assignment_id(role: str, principal: str, scope: str) -> str:
    """Base64url of role, principal and scope; the whole directory adds no third guid."""
    last = scope.rpartition("/")[2]
    return join_guids(role, principal, *([last] if is_guid(last) else [])) + "-1"


def make_assignment(
    tenant: Tenant, role: str, principal: str, scope: str = "/", *, settled: bool = False
) -> dict[str, Any]:
    identity = assignment_id(role, principal, scope)
    if tenant.role_assignments.truth(identity) is not None:
        raise bad_request(errors.CONFLICT)
    made = {
        "id": identity,
        "principalId": principal,
        "directoryScopeId": scope,
        "roleDefinitionId": role,
    }
    tenant.role_assignments.add(identity, made, settled=settled)
    _note(tenant, made)
    return made


def _note(tenant: Tenant, assignment: dict[str, Any], *, removed: bool = False) -> None:
    """For delta queries on activated roles, which list who holds them everywhere."""
    if assignment["directoryScopeId"] != "/":
        return
    for role in tenant.tables["directoryRole"].true_values():
        if role.body["roleTemplateId"] == assignment["roleDefinitionId"]:
            tenant.changes.note(
                role.kind, role.id, member=assignment["principalId"], member_removed=removed
            )


def _scope(call: Call, scope: str) -> str:
    """`/`, an administrative unit, or one application; the object must exist."""
    if scope == "/":
        return scope
    last = scope.rpartition("/")[2]
    if not is_guid(last) or call.tenant.find(last) is None:
        raise not_found(last or scope)
    return scope


@route("POST", f"{BASE}/roleAssignments", ROLE_WRITE)
def assign(call: Call) -> Answer:
    values = validated(
        "unifiedRoleAssignment", call.body, required=("roleDefinitionId", "principalId")
    )
    scope = values.get("directoryScopeId")
    if not scope:
        raise bad_request("The property 'directoryScopeId' or 'appScopeId' is required.")
    role, principal = values["roleDefinitionId"].lower(), values["principalId"].lower()
    if role not in call.tenant.role_definitions:
        raise not_found(role)
    if not is_guid(principal) or not call.tenant.exists(principal):
        raise not_found(principal)
    group = call.tenant.find(principal, ("group",))
    if group is not None and not group.body["isAssignableToRole"]:
        raise bad_request(
            "The group is not eligible for role assignment: 'isAssignableToRole' must be true."
        )
    made = make_assignment(call.tenant, role, principal, _scope(call, scope))
    _audited(call, "Add member to role", made)
    context = call.context("roleManagement/directory/roleAssignments/$entity")
    return Answer(201, {"@odata.context": context} | made)


def _expanded(call: Call, item: dict[str, Any]) -> dict[str, Any]:
    wanted, tenant = call.query.get("$expand", ""), call.tenant
    more: dict[str, Any] = {}
    if "principal" in wanted:
        principal = typed(item["principalId"], tenant) or {}
        principal.pop("@all", None)
        more["principal"] = principal or None
    if "roleDefinition" in wanted:
        more["roleDefinition"] = tenant.role_definitions[item["roleDefinitionId"]]
    return item | more


def _list(call: Call, items: list[dict[str, Any]], kind: str, name: str) -> Answer:
    living = [item for item in items if call.tenant.exists(item["principalId"])]
    return call.listing(
        kind,
        living,
        lambda item: _expanded(call, item),
        resource=f"roleManagement/directory/{name}",
    )


@route("GET", f"{BASE}/roleAssignments", ROLE_READ)
@route("GET", f"{BASE}/roleAssignments/$count", ROLE_READ)
def list_assignments(call: Call) -> Answer:
    items = list(call.tenant.role_assignments.values())
    return _list(call, items, "unifiedRoleAssignment", "roleAssignments")


@route("GET", f"{BASE}/roleAssignments/{{assignment}}", ROLE_READ)
def read_assignment(call: Call) -> Answer:
    found = call.tenant.role_assignments.read(call.params["assignment"])
    if found is None:
        raise not_found(call.params["assignment"])
    return call.single(
        "unifiedRoleAssignment",
        _expanded(call, found),
        resource="roleManagement/directory/roleAssignments",
    )


@route("DELETE", f"{BASE}/roleAssignments/{{assignment}}", ROLE_WRITE)
def remove_assignment(call: Call) -> Answer:
    identity = call.params["assignment"]
    known = call.tenant.role_assignments.truth(identity)
    if known is None:
        raise not_found(identity)
    call.tenant.role_assignments.remove(identity)
    _note(call.tenant, known, removed=True)
    _audited(call, "Remove member from role", known)
    return Answer(204)


def _audited(call: Call, activity: str, assignment: dict[str, Any]) -> None:
    """Of members that are users, nothing is logged here."""
    member = call.tenant.find(assignment["principalId"])
    if member is None:
        return
    role = assignment["roleDefinitionId"]
    name = call.tenant.role_definitions[role]["displayName"]
    added = activity.startswith("Add")
    changed = {"Role.TemplateId": role, "Role.DisplayName": name}
    audited(
        call,
        activity,
        "Assign" if added else "Unassign",
        member,
        changed={key: (None, value) if added else (value, None) for key, value in changed.items()},
        category="RoleManagement",
    )


@route("GET", f"{BASE}/roleDefinitions", ROLE_READ)
@route("GET", f"{BASE}/roleDefinitions/$count", ROLE_READ)
def list_definitions(call: Call) -> Answer:
    return call.listing(
        "unifiedRoleDefinition",
        list(call.tenant.role_definitions.values()),
        lambda item: item,
        resource="roleManagement/directory/roleDefinitions",
    )


@route("GET", f"{BASE}/roleDefinitions/{{role}}", ROLE_READ)
def read_definition(call: Call) -> Answer:
    found = call.tenant.role_definitions.get(call.params["role"].lower())
    if found is None:
        raise not_found(call.params["role"])
    return call.single(
        "unifiedRoleDefinition", found, resource="roleManagement/directory/roleDefinitions"
    )


def make_eligibility(
    tenant: Tenant, role: str, principal: str, scope: str = "/", end: str | None = None
) -> dict[str, Any]:
    identity = assignment_id(role, principal, scope) + "-e"
    made = {
        "id": identity,
        "principalId": principal,
        "roleDefinitionId": role,
        "directoryScopeId": scope,
        "appScopeId": None,
        "startDateTime": "2024-01-15T08:00:00Z",
        "endDateTime": end,
        "memberType": "Direct",
        "roleEligibilityScheduleId": tenant.ids.guid(),
    }
    tenant.eligibilities.add(identity, made, settled=True)
    return made


@route("GET", f"{BASE}/roleEligibilityScheduleInstances", ELIGIBLE_READ)
def list_eligible(call: Call) -> Answer:
    unsupported = {"$orderby", "$search"} & call.query.keys()
    if unsupported:
        raise bad_request(f"The query option '{min(unsupported)}' is not supported.")
    return _list(
        call,
        list(call.tenant.eligibilities.values()),
        "unifiedRoleEligibilityScheduleInstance",
        "roleEligibilityScheduleInstances",
    )


@route("GET", f"{BASE}/roleAssignmentScheduleInstances", ACTIVE_READ)
def list_active(call: Call) -> Answer:
    items = [
        {
            "id": item["id"],
            "principalId": item["principalId"],
            "roleDefinitionId": item["roleDefinitionId"],
            "directoryScopeId": item["directoryScopeId"],
            "appScopeId": None,
            "startDateTime": None,
            "endDateTime": None,
            "assignmentType": "Assigned",
            "memberType": "Direct",
            "roleAssignmentOriginId": item["id"],
            "roleAssignmentScheduleId": item["id"],
        }
        for item in call.tenant.role_assignments.values()
    ]
    return _list(
        call, items, "unifiedRoleAssignmentScheduleInstance", "roleAssignmentScheduleInstances"
    )
