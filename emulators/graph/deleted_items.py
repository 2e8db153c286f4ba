"""Deleted objects: listed, restored, or purged; gone for good after 30 days."""

from datetime import datetime, timedelta

from emulators.graph.errors import denied, not_found
from emulators.graph.objects import shown
from emulators.graph.permissions import DELETED, DELETED_READ
from emulators.graph.routing import Answer, Call, route
from emulators.graph.state import Entity, Tenant

BASE = "/directory/deletedItems"
KEPT = timedelta(days=30)
WRITE = {
    "application": ("Application.ReadWrite.All",),
    "servicePrincipal": ("Application.ReadWrite.All",),
    "user": ("User.DeleteRestore.All", "User.ReadWrite.All", "Directory.ReadWrite.All"),
    "group": ("Group.ReadWrite.All", "Directory.ReadWrite.All"),
}


def purge_old(tenant: Tenant) -> None:
    limit = tenant.clock.now() - KEPT
    for identity, entity in list(tenant.deleted.items()):
        if datetime.fromisoformat(entity.body["deletedDateTime"]) < limit:
            _purge(tenant, identity)


def _purge(tenant: Tenant, identity: str) -> None:
    entity = tenant.deleted.pop(identity)
    tenant.changes.note(entity.kind, identity, removed="deleted")
    for table in (tenant.app_roles, tenant.consents, tenant.role_assignments):
        for row in list(table.true_values()):
            if identity in (row.get("principalId"), row.get("clientId"), row.get("resourceId")):
                table.remove(row["id"])


def _one(call: Call) -> Entity:
    purge_old(call.tenant)
    found = call.tenant.deleted.get(call.params["item"].lower())
    if found is None:
        raise not_found(call.params["item"])
    return found


def _check(call: Call, entity: Entity) -> None:
    caller = call.caller
    if caller.has(*WRITE[entity.kind]):
        return
    if caller.has("Application.ReadWrite.OwnedBy") and caller.object_id in entity.owners:
        return
    raise denied()


@route("GET", BASE + "/{item}", DELETED_READ)
def read_or_list(call: Call) -> Answer:
    """One item, or all of a kind when the segment is a cast."""
    segment = call.params["item"]
    if not segment.lower().startswith("microsoft.graph."):
        item = _one(call)
        body = {"@odata.type": f"#microsoft.graph.{item.kind}"} | shown(item, call.tenant)
        return call.single("anything", body, resource="directoryObjects")
    purge_old(call.tenant)
    wanted = segment.rpartition(".")[2].lower()
    items = [e for e in call.tenant.deleted.values() if e.kind.lower() == wanted]
    kind = items[0].kind if items else "anything"
    return call.listing(kind, items, lambda e: shown(e, call.tenant), resource="directoryObjects")


@route("POST", BASE + "/{item}/restore", DELETED)
@route("POST", "/applications/{item}/restore", DELETED)
def restore(call: Call) -> Answer:
    entity = _one(call)
    _check(call, entity)
    tenant = call.tenant
    _restore(tenant, entity)
    for other in list(tenant.deleted.values()):
        if other.deleted_with == entity.id:  # the service principal that went with it
            _restore(tenant, other)
    body = {"@odata.type": f"#microsoft.graph.{entity.kind}"} | shown(entity, tenant)
    context = call.context("directoryObjects/$entity")
    return Answer(200, {"@odata.context": context} | body)


def _restore(tenant: Tenant, entity: Entity) -> None:
    tenant.deleted.pop(entity.id)
    entity.body["deletedDateTime"] = None
    entity.deleted_with = None
    if entity.kind == "user":
        tenant.users.restore(entity.id)
        tenant.changes.note("user", entity.id)
    else:
        tenant.add(entity)


@route("DELETE", BASE + "/{item}", DELETED)
def purge(call: Call) -> Answer:
    entity = _one(call)
    _check(call, entity)
    _purge(call.tenant, entity.id)
    return Answer(204)
