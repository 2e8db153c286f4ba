"""Activated directory roles, their members and templates."""

from typing import Any

from emulators.graph.errors import bad_request, conflict, not_found
from emulators.graph.objects import polymorphic
from emulators.graph.permissions import ROLE_READ, ROLE_WRITE
from emulators.graph.routing import Answer, Call, route
from emulators.graph.state import Entity, Tenant

BASE = "/directoryRoles"


def make_role(tenant: Tenant, template: str) -> Entity:
    definition = tenant.role_definitions[template]
    body = {
        "id": tenant.ids.guid(),
        "deletedDateTime": None,
        "description": definition["description"],
        "displayName": definition["displayName"],
        "roleTemplateId": template,
    }
    return Entity("directoryRole", body)


def _role(call: Call) -> Entity:
    key = call.params["role"]
    name, equals, template = key.partition("=")
    if not equals:
        return call.tenant.entity("directoryRole", key)
    for entity in call.tenant.tables["directoryRole"].values():
        if name.lower() == "roletemplateid" and entity.body["roleTemplateId"] == template.lower():
            return entity
    raise not_found(template)


@route("GET", BASE, ROLE_READ)
def list_roles(call: Call) -> Answer:
    items = list(call.tenant.tables["directoryRole"].values())
    return call.listing("directoryRole", items, lambda e: e.body, resource="directoryRoles")


@route("GET", BASE + "/{role}", ROLE_READ)
def read_role(call: Call) -> Answer:
    return call.single("directoryRole", _role(call).body, resource="directoryRoles")


@route("POST", BASE, ROLE_WRITE)
def activate(call: Call) -> Answer:
    body: dict[str, Any] = call.body if isinstance(call.body, dict) else {}
    template = str(body.get("roleTemplateId") or "").lower()
    if template not in call.tenant.role_definitions:
        raise bad_request("Invalid value specified for property 'roleTemplateId' of resource.")
    for entity in call.tenant.tables["directoryRole"].true_values():
        if entity.body["roleTemplateId"] == template:
            raise conflict("A conflicting object with one or more of the specified values exists.")
    made = make_role(call.tenant, template)
    call.tenant.add(made)
    context = call.context("directoryRoles/$entity")
    return Answer(201, {"@odata.context": context} | made.body)


@route("GET", BASE + "/{role}/members", ROLE_READ)
@route("GET", BASE + "/{role}/members/{cast}", ROLE_READ)
def members(call: Call) -> Answer:
    template = _role(call).body["roleTemplateId"]
    found = [
        item["principalId"]
        for item in call.tenant.role_assignments.values()
        if item["roleDefinitionId"] == template and item["directoryScopeId"] == "/"
    ]
    return polymorphic(call, found, call.params.get("cast"), "directoryObjects")


@route("GET", "/directoryRoleTemplates", ROLE_READ)
def list_templates(call: Call) -> Answer:
    items = [
        {
            "id": item["id"],
            "deletedDateTime": None,
            "description": item["description"],
            "displayName": item["displayName"],
        }
        for item in call.tenant.role_definitions.values()
    ]
    return call.listing(
        "directoryRoleTemplate", items, lambda item: item, resource="directoryRoleTemplates"
    )
