"""Owners of applications, service principals and groups, as references."""

import re
from typing import Any

from emulators.graph.auditing import audited
from emulators.graph.errors import bad_request, not_found
from emulators.graph.objects import by_key, polymorphic
from emulators.graph.permissions import (
    APP_CREDENTIAL,
    APP_READ,
    GROUP_READ,
    GROUP_WRITE,
    OWNERS_WRITE,
)
from emulators.graph.routing import Answer, Call, route
from emulators.graph.state import Entity

KINDS = {
    "applications": "application",
    "serviceprincipals": "servicePrincipal",
    "groups": "group",
}
_NAMES = {"application": "application", "servicePrincipal": "service principal", "group": "group"}
WRITE_ALL = (
    "Application.ReadWrite.All",
    "Directory.ReadWrite.All",
    "Group.ReadWrite.All",
)
_REFERENCE = re.compile(
    r"/(?:directoryObjects|users|servicePrincipals|groups|devices)/([0-9a-f-]{36})/?$",
    re.IGNORECASE,
)


def referenced(call: Call, body: Any) -> str:
    """The id behind {"@odata.id": ".../directoryObjects/{id}"}."""
    text = body.get("@odata.id") if isinstance(body, dict) else None
    match = _REFERENCE.search(str(text or ""))
    if match is None:
        raise bad_request("Invalid URL format specified in payload.", "BadRequest")
    identity = match[1].lower()
    if not call.tenant.exists(identity):
        raise not_found(identity)
    return identity


def already(what: str) -> Exception:
    return bad_request(
        "One or more added object references already exist for the following modified "
        f"properties: '{what}'."
    )


def _owned(call: Call) -> Entity:
    kind = KINDS[call.path.split("/")[1].lower()]
    return by_key(call, kind, call.target)


def list_owners(call: Call) -> Answer:
    entity = _owned(call)
    return polymorphic(call, entity.owners, call.params.get("cast"), "directoryObjects")


def add_owner(call: Call) -> Answer:
    entity = _owned(call)
    call.caller.must_own(entity, *WRITE_ALL)
    identity = referenced(call, call.body)
    if identity in entity.owners:
        raise already("owners")
    entity.owners.append(identity)
    call.tenant.changes.note(entity.kind, entity.id, member=identity, relation="owners")
    audited(call, f"Add owner to {_NAMES[entity.kind]}", "Assign", entity, others=[identity])
    return Answer(204)


def remove_owner(call: Call) -> Answer:
    entity = _owned(call)
    call.caller.must_own(entity, *WRITE_ALL)
    identity = call.params["owner"].lower()
    if identity not in entity.owners:
        raise not_found(identity)
    entity.owners.remove(identity)
    call.tenant.changes.note(
        entity.kind, entity.id, member=identity, member_removed=True, relation="owners"
    )
    name = f"Remove owner from {_NAMES[entity.kind]}"
    audited(call, name, "Unassign", entity, others=[identity])
    return Answer(204)


for _path, _read, _add, _remove in (
    ("/applications/{id}/owners", APP_READ, OWNERS_WRITE, APP_CREDENTIAL),
    ("/servicePrincipals/{id}/owners", APP_READ, OWNERS_WRITE, APP_CREDENTIAL),
    ("/groups/{id}/owners", GROUP_READ, GROUP_WRITE, GROUP_WRITE),
):
    route("GET", _path, _read)(list_owners)
    route("GET", _path + "/$count", _read)(list_owners)
    route("GET", _path + "/{cast}", _read)(list_owners)
    route("POST", _path + "/$ref", _add)(add_owner)
    route("DELETE", _path + "/{owner}/$ref", _remove)(remove_owner)
