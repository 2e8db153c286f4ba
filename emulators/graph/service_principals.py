"""Service principals: create, upsert by appId, read, update, delete, owned objects."""

from typing import Any

from emulators.graph import errors
from emulators.graph.applications import READ_ALL, created, soft_delete
from emulators.graph.auditing import audited
from emulators.graph.key_credentials import set_keys
from emulators.graph.objects import by_key, polymorphic, shown, with_keys
from emulators.graph.permissions import APP_CREDENTIAL, APP_READ, OBJECT_READ
from emulators.graph.routing import Answer, Call, route
from emulators.graph.schema import validated
from emulators.graph.seed_services import SERVICES, make_service
from emulators.graph.shapes import SERVICE_PRINCIPAL, fresh, merge
from emulators.graph.state import Entity

WRITE_ALL = ("Application.ReadWrite.All", "Directory.ReadWrite.All")
APP_ID = frozenset({"appId"})


def _backing(call: Call, app_id: str) -> Entity:
    """The application behind a new service principal, as replicas show it."""
    tenant = call.tenant
    application = tenant.application_of(app_id)
    if application is None or tenant.tables["application"].read(application.id) is None:
        # Microsoft's two answers for the same delay, by the caller's permission.
        if call.caller.has(*WRITE_ALL):
            raise errors.no_backing_application(app_id)
        raise errors.backing_application_elsewhere()
    call.caller.must_own(application, *WRITE_ALL)
    return application


def _create(call: Call, app_id: str, values: dict[str, Any]) -> Answer:
    tenant = call.tenant
    if app_id in SERVICES and call.caller.has(*WRITE_ALL):
        return _add_service(call, app_id)
    application = _backing(call, app_id)
    _unused(call, app_id)
    source = application.body
    given = {k: v for k, v in values.items() if k not in ("appId", "keyCredentials")}
    body = fresh(SERVICE_PRINCIPAL, given)
    body |= {
        "id": tenant.ids.guid(),
        "appId": source["appId"],
        "appDisplayName": source["displayName"],
        "appDescription": source["description"],
        "appOwnerOrganizationId": tenant.id,
        "createdDateTime": tenant.stamp(),
        "displayName": source["displayName"],
        "servicePrincipalNames": [source["appId"], *source["identifierUris"]],
        "signInAudience": source["signInAudience"],
        "replyUrls": source["web"]["redirectUris"],
        "appRoles": source["appRoles"],
        "oauth2PermissionScopes": source["api"]["oauth2PermissionScopes"],
        # Tags of an application are copied to its service principals.
        "tags": list(dict.fromkeys(body["tags"] + source["tags"])),
    }
    entity = Entity("servicePrincipal", body, owners=[call.caller.object_id])
    tenant.add(entity)
    return created(call, entity, "service principal", "servicePrincipals", "ServicePrincipal")


def _unused(call: Call, app_id: str) -> None:
    if call.tenant.principal_of(app_id) is not None:
        raise errors.conflict(
            "The service principal cannot be created, updated, or restored because the service "
            f"principal name {app_id} is already in use."
        )


def _add_service(call: Call, app_id: str) -> Answer:
    """One of Microsoft's own, whose application is in Microsoft's tenant."""
    _unused(call, app_id)
    entity = make_service(call.tenant, app_id)
    call.tenant.add(entity)
    return created(call, entity, "service principal", "servicePrincipals", "ServicePrincipal")


@route("POST", "/servicePrincipals", APP_CREDENTIAL)
def create(call: Call) -> Answer:
    values = validated("servicePrincipal", call.body, required=("appId",), ignore=APP_ID)
    return _create(call, values["appId"], values)


@route("GET", "/servicePrincipals", APP_READ)
@route("GET", "/servicePrincipals/$count", APP_READ)
def list_all(call: Call) -> Answer:
    tenant = call.tenant
    items = [
        entity
        for entity in tenant.tables["servicePrincipal"].values()
        if call.caller.has(*READ_ALL) or call.caller.object_id in entity.owners
    ]
    return call.listing(
        "servicePrincipal", items, lambda e: shown(e, tenant), resource="servicePrincipals"
    )


@route("GET", "/servicePrincipals/{sp}", APP_READ)
def read(call: Call) -> Answer:
    entity = by_key(call, "servicePrincipal", call.params["sp"])
    if entity.id != call.caller.object_id:
        call.caller.must_own(entity, *READ_ALL)
    body = with_keys(call, entity, shown(entity, call.tenant))
    return call.single("servicePrincipal", body, resource="servicePrincipals")


@route("PATCH", "/servicePrincipals/{sp}", APP_CREDENTIAL)
def update(call: Call) -> Answer:
    key = call.params["sp"]
    name, equals, app_id = key.partition("=")
    values = validated("servicePrincipal", call.body, ignore=APP_ID)
    if equals and name.lower() == "appid":
        missing = call.tenant.principal_of(app_id) is None
        if missing and "create-if-missing" in call.headers.get("prefer", ""):
            return _create(call, app_id, values)
    entity = by_key(call, "servicePrincipal", key)
    call.caller.must_own(entity, *WRITE_ALL)
    if values.pop("passwordCredentials", None):
        raise errors.bad_request(
            "New password credentials must be generated using service actions."
        )
    if "keyCredentials" in values:
        set_keys(call, entity, values.pop("keyCredentials"))
    values.pop("appId", None)
    changed = {
        name[:1].upper() + name[1:]: (entity.body.get(name), values[name]) for name in values
    }
    merge(entity.body, values)
    call.tenant.changes.note("servicePrincipal", entity.id, properties=tuple(values))
    audited(call, "Update service principal", "Update", entity, changed=changed)
    return Answer(204)


@route("DELETE", "/servicePrincipals/{sp}", APP_CREDENTIAL)
def delete(call: Call) -> Answer:
    entity = by_key(call, "servicePrincipal", call.params["sp"])
    call.caller.must_own(entity, *WRITE_ALL)
    soft_delete(call, entity)
    return Answer(204)


@route("GET", "/servicePrincipals/{sp}/ownedObjects", f"{APP_READ}|{OBJECT_READ}")
@route("GET", "/servicePrincipals/{sp}/ownedObjects/$count", f"{APP_READ}|{OBJECT_READ}")
@route("GET", "/servicePrincipals/{sp}/ownedObjects/{cast}", f"{APP_READ}|{OBJECT_READ}")
def owned_objects(call: Call) -> Answer:
    entity = by_key(call, "servicePrincipal", call.params["sp"])
    owned = [
        each.id
        for kind in ("application", "servicePrincipal", "group")
        for each in call.tenant.tables[kind].values()
        if entity.id in each.owners
    ]
    return polymorphic(call, owned, call.params.get("cast"), "directoryObjects")
