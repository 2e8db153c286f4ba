"""Applications: create, upsert by unique name, read, update, soft delete."""

from typing import Any

from emulators.graph.auditing import audited
from emulators.graph.errors import bad_request, conflict, not_found
from emulators.graph.key_credentials import set_keys
from emulators.graph.objects import by_key, shown, with_keys
from emulators.graph.permissions import APP_READ, APP_WRITE
from emulators.graph.routing import Answer, Call, route
from emulators.graph.schema import validated
from emulators.graph.shapes import APPLICATION, fresh, merge
from emulators.graph.state import Entity

WRITE_ALL = "Application.ReadWrite.All"
READ_ALL = ("Application.Read.All", WRITE_ALL, "Directory.Read.All", "Directory.ReadWrite.All")
AUDIENCES = (
    "AzureADMyOrg",
    "AzureADMultipleOrgs",
    "AzureADandPersonalMicrosoftAccount",
    "PersonalMicrosoftAccount",
)


def created(call: Call, entity: Entity, kind: str, resource: str, suffix: str) -> Answer:
    location = (
        f"https://graph.microsoft.com/v2/{call.tenant.id}/directoryObjects/{entity.id}/"
        f"Microsoft.DirectoryServices.{suffix}"
    )
    context = call.context(f"{resource}/$entity")
    body = {"@odata.context": context} | shown(entity, call.tenant)
    audited(call, f"Add {kind}", "Add", entity)
    return Answer(201, body, {"Location": location})


def _check(values: dict[str, Any]) -> None:
    if values.get("passwordCredentials"):
        raise bad_request("New password credentials must be generated using service actions.")
    audience = values.get("signInAudience")
    if audience is not None and audience not in AUDIENCES:
        raise bad_request(
            "Invalid value specified for property 'signInAudience' of resource 'Application'."
        )
    for access in values.get("requiredResourceAccess", []):
        for entry in access.get("resourceAccess", []):
            if entry.get("type") not in ("Role", "Scope"):
                raise bad_request(
                    "Invalid value specified for property 'type' of resource 'ResourceAccess'."
                )


def _create(call: Call, values: dict[str, Any]) -> Entity:
    tenant = call.tenant
    _check(values)
    name = values.get("uniqueName")
    if name and tenant.by_unique_name("application", name) is not None:
        raise conflict("Another object with the same value for property uniqueName already exists.")
    keys = values.pop("keyCredentials", None)
    body = fresh(APPLICATION, {k: v for k, v in values.items() if k != "passwordCredentials"})
    body |= {
        "id": tenant.ids.guid(),
        "appId": tenant.ids.guid(),
        "createdDateTime": tenant.stamp(),
        "publisherDomain": tenant.domain,
    }
    # An app-only creator becomes the owner of what it creates.
    entity = Entity("application", body, owners=[call.caller.object_id])
    if keys:
        set_keys(call, entity, keys)
    tenant.add(entity)
    return entity


def _unused_scopes(entity: Entity, values: dict[str, Any]) -> None:
    """A scope or role that is still enabled cannot be taken away."""
    pairs = [(entity.body["appRoles"], values.get("appRoles"))]
    api = values.get("api") or {}
    old_scopes = entity.body["api"]["oauth2PermissionScopes"]
    pairs.append((old_scopes, api.get("oauth2PermissionScopes")))
    for old, new in pairs:
        if new is None:
            continue
        kept = {item.get("id") for item in new}
        if any(item["id"] not in kept and item.get("isEnabled", True) for item in old):
            raise bad_request(
                "Permission (scope or role) cannot be deleted or updated unless disabled first.",
                "CannotDeleteOrUpdateEnabledEntitlement",
            )


_LOGGED = {
    "requiredResourceAccess": "RequiredResourceAccess",
    "web": "AppAddress",
    "spa": "AppAddress",
    "publicClient": "AppAddress",
    "signInAudience": "AvailableToOtherTenants",
    "isFallbackPublicClient": "PublicClient",
}
"""What the audit log calls the properties of an application."""


def _update(call: Call, entity: Entity, values: dict[str, Any]) -> Answer:
    call.caller.must_own(entity, WRITE_ALL)
    _check(values)
    unique = values.pop("uniqueName", None)
    if unique is not None and unique != entity.body["uniqueName"]:
        raise bad_request("Property 'uniqueName' is immutable and cannot be updated.")
    _unused_scopes(entity, values)
    if "keyCredentials" in values:
        set_keys(call, entity, values.pop("keyCredentials"))
    values.pop("passwordCredentials", None)
    changed = {_LOGGED.get(name, name): (entity.body.get(name), values[name]) for name in values}
    merge(entity.body, values)
    principal = call.tenant.principal_of(entity.body["appId"])
    if principal is not None:
        _follow(entity, principal, values)
    call.tenant.changes.note("application", entity.id, properties=tuple(values))
    audited(call, "Update application", "Update", entity, changed=changed)
    return Answer(204)


def _follow(entity: Entity, principal: Entity, values: dict[str, Any]) -> None:
    """What a service principal copies from its application."""
    body = entity.body
    principal.body["appDisplayName"] = body["displayName"]
    if "tags" in values:  # tags of an application are copied to its service principals
        principal.body["tags"] = list(dict.fromkeys(principal.body["tags"] + body["tags"]))
    principal.body["appRoles"] = body["appRoles"]
    principal.body["oauth2PermissionScopes"] = body["api"]["oauth2PermissionScopes"]
    principal.body["replyUrls"] = body["web"]["redirectUris"]
    principal.body["servicePrincipalNames"] = [body["appId"], *body["identifierUris"]]


@route("POST", "/applications", APP_WRITE)
def create(call: Call) -> Answer:
    values = validated("application", call.body, required=("displayName",))
    entity = _create(call, values)
    return created(call, entity, "application", "applications", "Application")


@route("GET", "/applications", APP_READ)
@route("GET", "/applications/$count", APP_READ)
def list_all(call: Call) -> Answer:
    tenant = call.tenant
    items = [
        entity
        for entity in tenant.tables["application"].values()
        if call.caller.has(*READ_ALL) or call.caller.object_id in entity.owners
    ]
    return call.listing(
        "application", items, lambda e: _with_owners(call, e), resource="applications"
    )


def _with_owners(call: Call, entity: Entity) -> dict[str, Any]:
    body = shown(entity, call.tenant)
    if "owners" in call.query.get("$expand", ""):
        owners = [call.tenant.find(owner) for owner in entity.owners]
        return body | {
            "owners": [
                {"@odata.type": f"#microsoft.graph.{o.kind}"} | shown(o, call.tenant)
                for o in owners
                if o is not None
            ]
        }
    return body


@route("GET", "/applications/{app}", APP_READ)
def read(call: Call) -> Answer:
    entity = by_key(call, "application", call.params["app"])
    call.caller.must_own(entity, *READ_ALL)
    body = with_keys(call, entity, _with_owners(call, entity))
    return call.single("application", body, resource="applications")


@route("PATCH", "/applications/{app}", APP_WRITE)
def update(call: Call) -> Answer:
    key = call.params["app"]
    name, equals, unique = key.partition("=")
    values = validated("application", call.body)
    if equals and name.lower() == "uniquename":
        entity = call.tenant.by_unique_name("application", unique)
        if entity is None:
            if "create-if-missing" not in call.headers.get("prefer", ""):
                raise not_found(unique)
            values = validated("application", call.body, required=("displayName",))
            entity = _create(call, values | {"uniqueName": unique})
            return created(call, entity, "application", "applications", "Application")
        return _update(call, entity, values)
    return _update(call, by_key(call, "application", key), values)


@route("DELETE", "/applications/{app}", APP_WRITE)
def delete(call: Call) -> Answer:
    """Soft delete; the application's service principal goes with it."""
    tenant = call.tenant
    entity = by_key(call, "application", call.params["app"])
    call.caller.must_own(entity, WRITE_ALL)
    soft_delete(call, entity)
    principal = tenant.principal_of(entity.body["appId"])
    if principal is not None:
        principal.deleted_with = entity.id
        soft_delete(call, principal)
    return Answer(204)


def soft_delete(call: Call, entity: Entity) -> None:
    tenant = call.tenant
    tenant.tables[entity.kind].remove(entity.id)
    entity.body["deletedDateTime"] = tenant.stamp()
    tenant.deleted[entity.id] = entity
    tenant.changes.note(entity.kind, entity.id, removed="changed")
    audited(call, f"Delete {entity.kind}", "Delete", entity)
