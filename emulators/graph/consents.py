"""Delegated permissions: oauth2PermissionGrants, one for each client, resource and principal."""

from typing import Any

from emulators.graph.auditing import audited
from emulators.graph.errors import MISSING, bad_request, conflict, not_found
from emulators.graph.ids import is_guid, join_guids
from emulators.graph.objects import by_key
from emulators.graph.permissions import CONSENT_READ, CONSENT_WRITE
from emulators.graph.routing import Answer, Call, route
from emulators.graph.schema import validated

FILTERABLE = {"clientId", "consentType", "principalId", "resourceId"}


def _principal(call: Call, identity: Any, name: str) -> str:
    if not is_guid(identity):
        raise bad_request(f"Invalid value specified for property '{name}' of resource.")
    found = call.tenant.find(identity, ("servicePrincipal",))
    if found is None:
        raise bad_request(MISSING.format(id=identity))
    return found.id


@route("POST", "/oauth2PermissionGrants", CONSENT_WRITE)
def create(call: Call) -> Answer:
    values = validated(
        "oAuth2PermissionGrant", call.body, required=("clientId", "consentType", "resourceId")
    )
    kind, person = values["consentType"], values.get("principalId")
    if kind not in ("AllPrincipals", "Principal") or (kind == "Principal") != bool(person):
        raise bad_request("Invalid value specified for property 'consentType' of resource.")
    if person and call.tenant.users.get(person) is None:
        raise bad_request(MISSING.format(id=person))
    client = _principal(call, values["clientId"], "clientId")
    resource = _principal(call, values["resourceId"], "resourceId")
    identity = join_guids(client, resource, *([person] if person else []))
    tenant = call.tenant
    if tenant.consents.truth(identity) is not None:
        raise conflict("Permission entry already exists.")
    grant = {
        "clientId": client,
        "consentType": kind,
        "id": identity,
        "principalId": person,
        "resourceId": resource,
        "scope": values.get("scope") or "",
    }
    tenant.consents.add(identity, grant)
    audited(
        call,
        "Add delegated permission grant",
        "Assign",
        tenant.entity("servicePrincipal", resource),
        changed={
            "DelegatedPermissionGrant.Scope": (None, grant["scope"]),
            "DelegatedPermissionGrant.ConsentType": (None, kind),
            "ServicePrincipal.ObjectID": (None, client),
        },
        others=[client],
    )
    location = f"https://graph.microsoft.com/v2/{tenant.id}/oauth2PermissionGrants/{identity}"
    context = call.context("oauth2PermissionGrants/$entity")
    return Answer(201, {"@odata.context": context} | grant, {"Location": location})


def _shown(call: Call, items: list[dict[str, Any]]) -> Answer:
    query = call.options("oAuth2PermissionGrant")
    if query.filter is not None and not query.filter.properties <= FILTERABLE:
        raise bad_request("Filter on this property is not supported.", "Request_UnsupportedQuery")
    return call.listing(
        "oAuth2PermissionGrant", items, lambda grant: grant, resource="oauth2PermissionGrants"
    )


def _live(call: Call) -> list[dict[str, Any]]:
    tenant = call.tenant
    return [g for g in tenant.consents.values() if tenant.exists(g["clientId"])]


@route("GET", "/oauth2PermissionGrants", CONSENT_READ)
def list_all(call: Call) -> Answer:
    return _shown(call, _live(call))


@route("GET", "/servicePrincipals/{id}/oauth2PermissionGrants", CONSENT_READ)
@route("GET", "/servicePrincipals/{id}/oauth2PermissionGrants/$count", CONSENT_READ)
def list_of_client(call: Call) -> Answer:
    client = by_key(call, "servicePrincipal", call.params["id"])
    return _shown(call, [grant for grant in _live(call) if grant["clientId"] == client.id])


def _one(call: Call) -> dict[str, Any]:
    grant = call.tenant.consents.read(call.params["grant"])
    if grant is None:
        raise not_found(call.params["grant"])
    return grant


@route("GET", "/oauth2PermissionGrants/{grant}", CONSENT_READ)
def read(call: Call) -> Answer:
    return call.single("oAuth2PermissionGrant", _one(call), resource="oauth2PermissionGrants")


@route("PATCH", "/oauth2PermissionGrants/{grant}", CONSENT_WRITE)
def update(call: Call) -> Answer:
    values = validated("oAuth2PermissionGrant", call.body)
    if set(values) - {"scope"}:
        raise bad_request("Only the property 'scope' of a permission grant can be updated.")
    _one(call)["scope"] = values.get("scope") or ""  # the whole string is replaced
    return Answer(204)


@route("DELETE", "/oauth2PermissionGrants/{grant}", CONSENT_WRITE)
def delete(call: Call) -> Answer:
    grant = _one(call)
    if call.tenant.consents.truth(grant["id"]) is None:
        raise not_found(grant["id"])
    call.tenant.consents.remove(grant["id"])
    return Answer(204)
