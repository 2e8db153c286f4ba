"""Bulk changes of the tenant, past permissions and lag of Graph itself.

The body of `POST /admin/tenant`; every key is optional, and they are worked through in this order:

    {
      "users":         [{"displayName": "…", "userPrincipalName": "…", any user property}],
      "generate_users": 500,
      "domains":       [{"id": "fabrikam.example", "authenticationType": "Federated"}],
      "groups":        [{"displayName": "…", "members": [REF, …], "owners": [REF, …],
                         "first_users": 100000, any group property}],
      "administrative_units": [{"displayName": "…", "members": [REF, …]}],
      "memberships":   [{"group": REF, "member": REF}],
      "remove_memberships": [{"group": REF, "member": REF}],
      "roles":         [{"role": NAME, "principal": REF, "scope": "/"}],
      "eligibilities": [{"role": NAME, "principal": REF, "scope": "/", "endDateTime": null}],
      "update_users":  [{"user": REF, any user property}],
      "delete_users":  [REF, …],
      "restore_users": [REF, …],
      "mfa":           [{"user": REF, "registered": true}],
      "conditional_access": [{"displayName": "…", any policy property}]
    }

REF is an object id, a userPrincipalName, the displayName of a group, unit or service principal,
or "#7" for the seeded user with that number. NAME is a role's name or template id. The answer
names the ids of what was made: `{"users": […], "groups": […], "administrative_units": […],
"roles": […], "eligibilities": […], "conditional_access": […]}`.
Changes show up in delta queries like any others.
"""

from typing import Any

from emulators.graph.administrative_units import make_unit
from emulators.graph.conditional_access import make_policy
from emulators.graph.errors import bad_request, not_found
from emulators.graph.groups import make_group
from emulators.graph.population import complete_user
from emulators.graph.role_assignments import make_assignment, make_eligibility
from emulators.graph.schema import validated
from emulators.graph.seed_services import role_id
from emulators.graph.state import Entity, Tenant

KEYS = {
    "domains",
    "users",
    "generate_users",
    "groups",
    "administrative_units",
    "memberships",
    "remove_memberships",
    "roles",
    "eligibilities",
    "update_users",
    "delete_users",
    "restore_users",
    "mfa",
    "conditional_access",
}
ID = frozenset({"id", "createdDateTime"})


def resolve(tenant: Tenant, reference: str) -> str:
    """The object id behind a REF."""
    if reference[:1] == "#" and reference[1:].isdigit():
        if int(reference[1:]) < tenant.users.seeded:
            return tenant.users.id_of(int(reference[1:]))
        raise not_found(reference)
    if tenant.exists(reference):
        return reference.lower()
    if "@" in reference:
        found = tenant.users.by_name(reference)
        if found is not None:
            return str(found["id"])
    for kind in ("group", "administrativeUnit", "servicePrincipal"):
        for entity in tenant.tables[kind].true_values():
            if entity.body.get("displayName") == reference:
                return entity.id
    raise not_found(reference)


def apply(tenant: Tenant, wanted: dict[str, Any]) -> dict[str, list[str]]:
    unknown = sorted(wanted.keys() - KEYS)
    if unknown:
        raise bad_request(f"Unknown key '{unknown[0]}'; known: {', '.join(sorted(KEYS))}.")
    for row in wanted.get("domains", []):
        tenant.domains[row["id"].lower()] = row.get("authenticationType", "Managed")
    made: dict[str, list[str]] = {
        "users": [_user(tenant, values) for values in wanted.get("users", [])],
        "groups": [_group(tenant, values) for values in wanted.get("groups", [])],
        "administrative_units": [
            _unit(tenant, values) for values in wanted.get("administrative_units", [])
        ],
    }
    first = len(tenant.users)
    for number in range(first, first + wanted.get("generate_users", 0)):
        name = f"generated.user{number}@{tenant.domain}"
        values = {"displayName": f"Generated User {number}", "userPrincipalName": name}
        made["users"].append(_user(tenant, values))
    for pair in wanted.get("memberships", []):
        _member(tenant, pair, removed=False)
    for pair in wanted.get("remove_memberships", []):
        _member(tenant, pair, removed=True)
    made["roles"] = [
        make_assignment(tenant, *_role(tenant, row), row.get("scope", "/"), settled=True)["id"]
        for row in wanted.get("roles", [])
    ]
    made["eligibilities"] = [
        make_eligibility(
            tenant, *_role(tenant, row), row.get("scope", "/"), row.get("endDateTime")
        )["id"]
        for row in wanted.get("eligibilities", [])
    ]
    _change_users(tenant, wanted)
    for row in wanted.get("mfa", []):
        tenant.mfa[resolve(tenant, row["user"])] = bool(row["registered"])
    made["conditional_access"] = [
        make_policy(tenant, values)["id"] for values in wanted.get("conditional_access", [])
    ]
    return made


def _role(tenant: Tenant, row: dict[str, Any]) -> tuple[str, str]:
    try:
        return role_id(tenant, row["role"]), resolve(tenant, row["principal"])
    except KeyError as wrong:
        raise bad_request(f"Unknown role or missing key: {wrong}.") from wrong


def _user(tenant: Tenant, values: dict[str, Any]) -> str:
    values = validated("user", values, required=("displayName", "userPrincipalName"), ignore=ID)
    values.setdefault("id", tenant.ids.guid())
    values.setdefault("createdDateTime", tenant.stamp())
    values.setdefault("mail", values["userPrincipalName"])
    tenant.users.add(complete_user(values), settled=True)
    tenant.changes.note("user", values["id"])
    return str(values["id"])


def _fill(tenant: Tenant, entity: Entity, members: list[str]) -> str:
    for reference in members:
        if entity.members is not None:
            entity.members.add(resolve(tenant, reference))
    tenant.add(entity, settled=True)
    tenant.changes.note(entity.kind, entity.id)
    return entity.id


def _group(tenant: Tenant, values: dict[str, Any]) -> str:
    links = ("members", "owners", "first_users")
    rest = {name: value for name, value in values.items() if name not in links}
    checked = validated("group", rest, required=("displayName",))
    checked.setdefault("mailNickname", "".join(filter(str.isalnum, checked["displayName"])))
    seeded = range(min(int(values.get("first_users", 0)), tenant.users.seeded))
    group = make_group(tenant, checked, *([seeded] if seeded else []))
    group.owners += [resolve(tenant, reference) for reference in values.get("owners", [])]
    return _fill(tenant, group, values.get("members", []))


def _unit(tenant: Tenant, values: dict[str, Any]) -> str:
    members = values.get("members", [])
    rest = {name: value for name, value in values.items() if name != "members"}
    checked = validated("administrativeUnit", rest, required=("displayName",))
    return _fill(tenant, make_unit(tenant, checked), members)


def _member(tenant: Tenant, pair: dict[str, str], *, removed: bool) -> None:
    group = tenant.find(resolve(tenant, pair["group"]), ("group", "administrativeUnit"))
    member = resolve(tenant, pair["member"])
    if group is None or group.members is None:
        raise not_found(pair["group"])
    if removed:
        group.members.remove(member)
    else:
        group.members.add(member)
    tenant.changes.note(group.kind, group.id, member=member, member_removed=removed)


def _change_users(tenant: Tenant, wanted: dict[str, Any]) -> None:
    for row in wanted.get("update_users", []):
        identity = resolve(tenant, row["user"])
        values = validated("user", {k: v for k, v in row.items() if k != "user"})
        tenant.users.change(identity, values)
        tenant.changes.note("user", identity, properties=tuple(values))
    for reference in wanted.get("delete_users", []):
        identity = resolve(tenant, reference)
        body = tenant.user(identity) | {"deletedDateTime": tenant.stamp()}
        tenant.deleted[identity] = Entity("user", body)
        tenant.users.remove(identity)
        tenant.changes.note("user", identity, removed="changed")
    for reference in wanted.get("restore_users", []):
        identity = resolve(tenant, reference)
        tenant.deleted.pop(identity)
        tenant.users.restore(identity)
        tenant.changes.note("user", identity)
