"""Federated identity credentials of applications."""

from typing import Any

from emulators.graph.errors import bad_request, conflict, not_found
from emulators.graph.objects import by_key
from emulators.graph.permissions import APP_READ, APP_WRITE
from emulators.graph.routing import Answer, Call, route
from emulators.graph.schema import validated
from emulators.graph.state import Entity

BASE = "/applications/{app}/federatedIdentityCredentials"
MOST = 20


def _application(call: Call) -> Entity:
    entity = by_key(call, "application", call.params["app"])
    if call.method != "GET":
        call.caller.must_own(entity, "Application.ReadWrite.All")
    return entity


def _one(call: Call) -> tuple[Entity, dict[str, Any]]:
    """By id or by name; both are seen on the wire."""
    entity, key = _application(call), call.params["credential"]
    key = key.removeprefix("name=")
    for found in entity.federated.values():
        if key in (found["id"], found["name"]):
            return entity, found
    raise not_found(key)


def _resource(entity: Entity) -> str:
    return f"applications('{entity.id}')/federatedIdentityCredentials"


@route("POST", BASE, APP_WRITE)
def create(call: Call) -> Answer:
    required = ("name", "issuer", "audiences")
    values = validated("federatedIdentityCredential", call.body, required=required)
    entity = _application(call)
    if any(each["name"] == values["name"] for each in entity.federated.values()):
        raise conflict("FederatedIdentityCredential with the same name already exists.")
    if len(entity.federated) >= MOST:
        raise bad_request("The maximum number of federated identity credentials is 20.")
    identity = call.tenant.ids.guid()
    made = {
        "id": identity,
        "name": values["name"],
        "issuer": values["issuer"],
        "subject": values.get("subject"),
        "description": values.get("description"),
        "audiences": values["audiences"],
    }
    entity.federated[identity] = made
    location = (
        f"https://graph.microsoft.com/v2/{call.tenant.id}/federatedIdentityCredentials/{identity}"
    )
    context = call.context(_resource(entity) + "/$entity")
    return Answer(201, {"@odata.context": context} | made, {"Location": location})


@route("GET", BASE, APP_READ)
def list_all(call: Call) -> Answer:
    entity = _application(call)
    return call.listing(
        "federatedIdentityCredential",
        list(entity.federated.values()),
        lambda item: item,
        resource=_resource(entity),
    )


@route("GET", BASE + "/{credential}", APP_READ)
def read(call: Call) -> Answer:
    entity, found = _one(call)
    return call.single("federatedIdentityCredential", found, resource=_resource(entity))


@route("PATCH", BASE + "/{credential}", APP_WRITE)
def update(call: Call) -> Answer:
    values = validated("federatedIdentityCredential", call.body)
    _, found = _one(call)
    if values.get("name", found["name"]) != found["name"]:
        raise bad_request("Property 'name' cannot be updated.")
    found.update(values)
    return Answer(204)


@route("DELETE", BASE + "/{credential}", APP_WRITE)
def delete(call: Call) -> Answer:
    entity, found = _one(call)
    del entity.federated[found["id"]]
    return Answer(204)
