"""Groups: create, upsert by unique name, read, update, soft delete."""

from typing import Any

from emulators.graph.applications import created, soft_delete
from emulators.graph.errors import bad_request, not_found
from emulators.graph.membership import Membership
from emulators.graph.objects import by_key
from emulators.graph.permissions import GROUP_READ, GROUP_WRITE
from emulators.graph.routing import Answer, Call, route
from emulators.graph.schema import validated
from emulators.graph.shapes import GROUP, fresh, merge
from emulators.graph.state import Entity, Tenant

CREATE = f"Group.Create|{GROUP_WRITE}"
REQUIRED = ("displayName", "mailNickname")


def make_group(tenant: Tenant, values: dict[str, Any], *ranges: range) -> Entity:
    body = fresh(GROUP, values)
    identity = tenant.ids.guid()
    body |= {"id": identity, "createdDateTime": body["createdDateTime"] or tenant.stamp()}
    return Entity("group", body, members=Membership(tenant.users, ranges))


def _create(call: Call, values: dict[str, Any]) -> Answer:
    for name in ("mailEnabled", "securityEnabled"):
        if not isinstance(values.get(name), bool):
            raise bad_request(f"A value is required for property '{name}' of resource 'Group'.")
    if values.get("isAssignableToRole") and not call.caller.has(
        "RoleManagement.ReadWrite.Directory"
    ):
        raise bad_request("RoleManagement.ReadWrite.Directory is needed for 'isAssignableToRole'.")
    entity = make_group(call.tenant, values)
    entity.owners.append(call.caller.object_id)
    call.tenant.add(entity)
    return created(call, entity, "group", "groups", "Group")


@route("POST", "/groups", CREATE)
def create(call: Call) -> Answer:
    return _create(call, validated("group", call.body, required=REQUIRED))


@route("GET", "/groups", GROUP_READ)
@route("GET", "/groups/$count", GROUP_READ)
def list_all(call: Call) -> Answer:
    items = list(call.tenant.tables["group"].values())
    return call.listing("group", items, lambda e: e.body, resource="groups")


@route("GET", "/groups/{group}", GROUP_READ)
def read(call: Call) -> Answer:
    entity = by_key(call, "group", call.params["group"])
    return call.single("group", entity.body, resource="groups")


@route("PATCH", "/groups/{group}", GROUP_WRITE)
def update(call: Call) -> Answer:
    key = call.params["group"]
    name, equals, unique = key.partition("=")
    if equals and name.lower() == "uniquename":
        missing = call.tenant.by_unique_name("group", unique) is None
        if missing and "create-if-missing" not in call.headers.get("prefer", ""):
            raise not_found(unique)
        if missing:
            values = validated("group", call.body, required=REQUIRED)
            return _create(call, values | {"uniqueName": unique})
    values = validated("group", call.body)
    entity = by_key(call, "group", key)
    if "isAssignableToRole" in values:
        raise bad_request("Property 'isAssignableToRole' can only be set when a group is created.")
    merge(entity.body, values)
    call.tenant.changes.note("group", entity.id, properties=tuple(values))
    return Answer(204)


@route("DELETE", "/groups/{group}", GROUP_WRITE)
def delete(call: Call) -> Answer:
    soft_delete(call, by_key(call, "group", call.params["group"]))
    return Answer(204)
