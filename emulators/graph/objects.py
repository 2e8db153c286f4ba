"""How directory objects are found by their keys and shown."""

from collections.abc import Iterable
from typing import Any

from emulators.graph.errors import bad_request, not_found
from emulators.graph.population import DEFAULTS
from emulators.graph.routing import Answer, Call
from emulators.graph.state import KINDS, Entity, Tenant

CASTS = {f"microsoft.graph.{kind}".lower(): kind for kind in ("user", *KINDS)}
PERSONAL = ("AzureADandPersonalMicrosoftAccount", "PersonalMicrosoftAccount")


def by_key(call: Call, kind: str, key: str) -> Entity:
    """An object by id or alternate key (`appId=…`, `uniqueName=…`), as reads see it."""
    name, equals, value = key.partition("=")
    if not equals:
        return call.tenant.entity(kind, key)
    tenant = call.tenant
    if name.lower() == "appid":
        finder = tenant.application_of if kind == "application" else tenant.principal_of
        found = finder(value)
    elif name.lower() == "uniquename":
        found = tenant.by_unique_name(kind, value)
    else:
        raise bad_request(f"'{name}' is not an alternate key of microsoft.graph.{kind}.")
    if found is None:
        raise not_found(value)
    if call.tenant.tables[kind].read(found.id) is None:
        raise not_found(value)
    return found


def shown(entity: Entity, tenant: Tenant) -> dict[str, Any]:
    """The properties of an object with its credentials as replicas show them."""
    if entity.kind not in ("application", "servicePrincipal"):
        return entity.body
    secrets = [s.view() for s in entity.secrets if tenant.lag.visible(s.born, s.gone)]
    keys = [k.body | {"key": None} for k in entity.keys if tenant.lag.visible(k.born, k.gone)]
    return entity.body | {"passwordCredentials": secrets[::-1], "keyCredentials": keys}


def with_keys(call: Call, entity: Entity, body: dict[str, Any]) -> dict[str, Any]:
    """The body with public keys, which Graph answers only of one object and on $select."""
    if "keycredentials" not in call.query.get("$select", "").lower():
        return body
    known = {key.key_id: key.body for key in entity.keys}
    return body | {"keyCredentials": [known[key["keyId"]] for key in body["keyCredentials"]]}


def typed(identity: str, tenant: Tenant) -> dict[str, Any] | None:
    """An item of a polymorphic list, with its @odata.type; None when it is gone."""
    user = tenant.users.get(identity)
    if user is not None:
        shown_user = {name: user[name] for name in DEFAULTS}
        return {"@odata.type": "#microsoft.graph.user"} | shown_user | {"@all": user}
    found = tenant.find(identity)
    if found is None:
        return None
    return {"@odata.type": f"#microsoft.graph.{found.kind}"} | shown(found, tenant)


def polymorphic(call: Call, identities: Iterable[str], cast: str | None, resource: str) -> Answer:
    """A list of directory objects of any kind, or of the one a cast segment names."""
    tenant = call.tenant
    if cast is None:
        return call.listing(
            "anything", _ids(identities), lambda i: _visible(typed(i, tenant)), resource=resource
        )
    kind = CASTS.get(cast.lower())
    if kind is None:
        raise bad_request(f"Resource not found for the segment '{cast}'.", "BadRequest")
    if kind == "user":
        return call.listing(
            "user",
            [identity for identity in identities if tenant.users.exists(identity)],
            tenant.users.get,
            resource="users",
            defaults=DEFAULTS,
        )
    found = (tenant.find(identity, (kind,)) for identity in identities)
    items = [each for each in found if each is not None]
    return call.listing(kind, items, lambda e: shown(e, tenant), resource=resource)


def _ids(identities: Iterable[str]) -> list[str]:
    return list(identities)


def _visible(item: dict[str, Any] | None) -> dict[str, Any] | None:
    """Drop the helper entry that lets $select reach past a user's default properties."""
    if item is None:
        return None
    everything = item.pop("@all", None)
    return item if everything is None else Selectable(item, everything)


class Selectable(dict[str, Any]):
    """A user in a polymorphic list: default properties, more of them on $select."""

    def __init__(self, defaults: dict[str, Any], everything: dict[str, Any]) -> None:
        super().__init__(defaults)
        self._everything = everything

    def get(self, key: str, default: Any = None) -> Any:
        return super().get(key, self._everything.get(key, default))
