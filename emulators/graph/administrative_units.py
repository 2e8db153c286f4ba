"""Administrative units and their members."""

from typing import Any

from emulators.graph.applications import created
from emulators.graph.errors import not_found
from emulators.graph.membership import Membership
from emulators.graph.objects import polymorphic
from emulators.graph.owners import already, referenced
from emulators.graph.permissions import UNIT_READ, UNIT_WRITE
from emulators.graph.routing import Answer, Call, route
from emulators.graph.schema import validated
from emulators.graph.shapes import merge
from emulators.graph.state import Entity, Tenant

BASE = "/directory/administrativeUnits"


def make_unit(tenant: Tenant, values: dict[str, Any], *ranges: range) -> Entity:
    body = {
        "id": tenant.ids.guid(),
        "deletedDateTime": None,
        "displayName": values["displayName"],
        "description": values.get("description"),
        "isMemberManagementRestricted": values.get("isMemberManagementRestricted"),
        "visibility": values.get("visibility"),
        "membershipType": values.get("membershipType"),
        "membershipRule": values.get("membershipRule"),
        "membershipRuleProcessingState": None,
    }
    return Entity("administrativeUnit", body, members=Membership(tenant.users, ranges))


def _unit(call: Call) -> Entity:
    return call.tenant.entity("administrativeUnit", call.params["unit"])


@route("GET", BASE, UNIT_READ)
def list_all(call: Call) -> Answer:
    return call.listing(
        "administrativeUnit",
        list(call.tenant.tables["administrativeUnit"].values()),
        lambda entity: entity.body,
        resource="directory/administrativeUnits",
    )


@route("POST", BASE, UNIT_WRITE)
def create(call: Call) -> Answer:
    values = validated("administrativeUnit", call.body, required=("displayName",))
    entity = make_unit(call.tenant, values)
    call.tenant.add(entity)
    return created(
        call, entity, "administrative unit", "directory/administrativeUnits", "AdministrativeUnit"
    )


@route("GET", BASE + "/{unit}", UNIT_READ)
def read(call: Call) -> Answer:
    return call.single(
        "administrativeUnit", _unit(call).body, resource="directory/administrativeUnits"
    )


@route("PATCH", BASE + "/{unit}", UNIT_WRITE)
def update(call: Call) -> Answer:
    merge(_unit(call).body, validated("administrativeUnit", call.body))
    return Answer(204)


@route("DELETE", BASE + "/{unit}", UNIT_WRITE)
def delete(call: Call) -> Answer:
    entity = _unit(call)
    call.tenant.tables["administrativeUnit"].remove(entity.id)
    call.tenant.changes.note("administrativeUnit", entity.id, removed="deleted")
    return Answer(204)


@route("GET", BASE + "/{unit}/members", UNIT_READ)
@route("GET", BASE + "/{unit}/members/$count", UNIT_READ)
@route("GET", BASE + "/{unit}/members/{cast}", UNIT_READ)
def members(call: Call) -> Answer:
    found = list(_unit(call).members or ())
    return polymorphic(call, found, call.params.get("cast"), "directoryObjects")


@route("POST", BASE + "/{unit}/members/$ref", UNIT_WRITE)
def add_member(call: Call) -> Answer:
    unit, identity = _unit(call), referenced(call, call.body)
    if unit.members is None or identity in unit.members:
        raise already("members")
    unit.members.add(identity)
    return Answer(204)


@route("DELETE", BASE + "/{unit}/members/{member}/$ref", UNIT_WRITE)
def remove_member(call: Call) -> Answer:
    unit, identity = _unit(call), call.params["member"].lower()
    if unit.members is None or identity not in unit.members:
        raise not_found(identity)
    unit.members.remove(identity)
    return Answer(204)
