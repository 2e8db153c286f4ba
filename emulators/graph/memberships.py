"""Members of groups, direct and transitive, and the other way round."""

from collections.abc import Iterator

from emulators.graph.errors import bad_request, not_found
from emulators.graph.objects import by_key, polymorphic
from emulators.graph.owners import already, referenced
from emulators.graph.permissions import APP_READ, MEMBER_OF, MEMBER_READ, MEMBER_WRITE
from emulators.graph.routing import Answer, Call, route
from emulators.graph.state import Entity, Tenant

ROLE_GROUP = "RoleManagement.ReadWrite.Directory"


def transitive_members(tenant: Tenant, group: Entity) -> list[str]:
    """Everything below a group, each once, breadth first."""
    found: dict[str, None] = {}
    waiting = [group]
    while waiting:
        for identity in waiting.pop(0).members or ():
            if identity in found:
                continue
            found[identity] = None
            nested = tenant.tables["group"].truth(identity)
            if nested is not None:
                waiting.append(nested)
    found.pop(group.id, None)
    return list(found)


def parents_of(tenant: Tenant, identity: str, *, transitive: bool) -> Iterator[Entity]:
    """Groups, roles and administrative units that an object is a member of."""
    seen: set[str] = set()
    waiting = [identity]
    while waiting:
        child = waiting.pop(0)
        for kind in ("group", "administrativeUnit", "directoryRole"):
            for entity in tenant.tables[kind].values():
                if entity.id in seen or not _holds(tenant, entity, child):
                    continue
                seen.add(entity.id)
                yield entity
                if transitive and kind == "group":
                    waiting.append(entity.id)


def _holds(tenant: Tenant, entity: Entity, identity: str) -> bool:
    if entity.kind == "directoryRole":
        role = entity.body["roleTemplateId"]
        return any(
            item["principalId"] == identity and item["roleDefinitionId"] == role
            for item in tenant.role_assignments.true_values()
            if item["directoryScopeId"] == "/"
        )
    return entity.members is not None and identity in entity.members


@route("GET", "/groups/{group}/members", MEMBER_READ)
@route("GET", "/groups/{group}/members/$count", MEMBER_READ)
@route("GET", "/groups/{group}/members/{cast}", MEMBER_READ)
def members(call: Call) -> Answer:
    group = by_key(call, "group", call.params["group"])
    direct = group.members.listed() if group.members is not None else []
    return polymorphic(call, direct, call.params.get("cast"), "directoryObjects")


@route("GET", "/groups/{group}/transitiveMembers", MEMBER_READ)
@route("GET", "/groups/{group}/transitiveMembers/$count", MEMBER_READ)
@route("GET", "/groups/{group}/transitiveMembers/{cast}", MEMBER_READ)
def transitive(call: Call) -> Answer:
    group = by_key(call, "group", call.params["group"])
    found = transitive_members(call.tenant, group)
    return polymorphic(call, found, call.params.get("cast"), "directoryObjects")


def _changing(call: Call) -> Entity:
    group = by_key(call, "group", call.params["group"])
    if group.body["isAssignableToRole"] and not call.caller.has(ROLE_GROUP):
        raise bad_request("Insufficient privileges to change members of a role-assignable group.")
    return group


@route("POST", "/groups/{group}/members/$ref", MEMBER_WRITE)
def add_member(call: Call) -> Answer:
    group = _changing(call)
    identity = referenced(call, call.body)
    if group.members is None or identity in group.members:
        raise already("members")
    group.members.add(identity)
    call.tenant.changes.note("group", group.id, member=identity)
    return Answer(204)


@route("DELETE", "/groups/{group}/members/{member}/$ref", MEMBER_WRITE)
def remove_member(call: Call) -> Answer:
    group, identity = _changing(call), call.params["member"].lower()
    if group.members is None or identity not in group.members:
        raise not_found(identity)
    group.members.remove(identity)
    call.tenant.changes.note("group", group.id, member=identity, member_removed=True)
    return Answer(204)


def _parents(call: Call) -> Answer:
    kind, key = call.path.split("/")[1].lower(), call.target
    if kind == "users":
        identity = call.tenant.user(key)["id"]
    else:
        names = {"groups": "group", "serviceprincipals": "servicePrincipal"}
        identity = by_key(call, names[kind], key).id
    deep = "/transitivememberof" in call.path.lower()
    found = [entity.id for entity in parents_of(call.tenant, identity, transitive=deep)]
    return polymorphic(call, found, call.params.get("cast"), "directoryObjects")


for _start, _needs in (
    ("/users/{id}", MEMBER_OF),
    ("/groups/{id}", MEMBER_READ),
    ("/servicePrincipals/{id}", APP_READ),
):
    for _end in ("/memberOf", "/transitiveMemberOf"):
        route("GET", _start + _end, _needs)(_parents)
        route("GET", _start + _end + "/$count", _needs)(_parents)
        route("GET", _start + _end + "/{cast}", _needs)(_parents)
