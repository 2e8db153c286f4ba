"""Users: read, list, create, update, delete."""

from typing import Any

from emulators.graph.errors import bad_request, denied
from emulators.graph.password_rights import may_reset
from emulators.graph.permissions import AUDIT, USER_PATCH, USER_READ, USER_WRITE
from emulators.graph.population import DEFAULTS, complete_user
from emulators.graph.routing import Answer, Call, route
from emulators.graph.schema import validated

WRITE_ALL = ("User.ReadWrite.All", "Directory.ReadWrite.All")
# Without one of these directory roles an app-only caller cannot touch a privileged user.
MAY_TOUCH_PRIVILEGED = {
    "62e90394-69f5-4237-9190-012177145e10",  # Global Administrator
    "7be44c8a-adaf-4e2a-84d6-ab2649e08a13",  # Privileged Authentication Administrator
}
NARROW = {
    "passwordProfile": "User-PasswordProfile.ReadWrite.All",
    "accountEnabled": "User.EnableDisableAccount.All",
    "identities": "User.ManageIdentities.All",
}


@route("GET", "/users", USER_READ)
@route("GET", "/users/$count", USER_READ)
def list_all(call: Call) -> Answer:
    if "signinactivity" in call.query.get("$select", "").lower() and not call.caller.has(AUDIT):
        raise denied()
    return call.listing(
        "user", call.tenant.users, call.tenant.users.get, resource="users", defaults=DEFAULTS
    )


@route("GET", "/users/{user}", USER_READ)
def read(call: Call) -> Answer:
    user = call.tenant.user(call.params["user"])
    return call.single("user", user, resource="users", defaults=DEFAULTS)


@route("POST", "/users", USER_WRITE)
def create(call: Call) -> Answer:
    required = ("displayName", "mailNickname", "userPrincipalName", "passwordProfile")
    values = validated("user", call.body, required=required)
    if "accountEnabled" not in values:
        raise bad_request("A value is required for property 'accountEnabled' of resource 'User'.")
    tenant = call.tenant
    if tenant.users.by_name(values["userPrincipalName"]) is not None:
        raise bad_request(
            "Another object with the same value for property userPrincipalName already exists."
        )
    values.pop("passwordProfile")
    user = complete_user(values | {"id": tenant.ids.guid(), "createdDateTime": tenant.stamp()})
    tenant.users.add(user)
    tenant.changes.note("user", user["id"])
    shown = {name: user[name] for name in DEFAULTS}
    location = (
        f"https://graph.microsoft.com/v2/{tenant.id}/directoryObjects/{user['id']}/"
        "Microsoft.DirectoryServices.User"
    )
    context = call.context("users/$entity")
    return Answer(201, {"@odata.context": context} | shown, {"Location": location})


def _privileged(call: Call, identity: str) -> bool:
    privileged = call.tenant.privileged_roles
    return any(
        item["principalId"] == identity and item["roleDefinitionId"] in privileged
        for item in call.tenant.role_assignments.true_values()
    )


def _check_rights(call: Call, user: dict[str, Any], values: dict[str, Any]) -> None:
    caller = call.caller
    if not caller.has(*WRITE_ALL):
        for name in values:
            if name not in NARROW or not caller.has(NARROW[name]):
                raise denied()
    if "passwordProfile" in values and not may_reset(
        call.tenant, caller.directory_roles, user["id"]
    ):
        raise denied()
    sensitive = set(values) & {"accountEnabled", "userPrincipalName"}
    trusted = caller.directory_roles & MAY_TOUCH_PRIVILEGED
    if sensitive and not trusted and _privileged(call, user["id"]):
        raise denied()


@route("PATCH", "/users/{user}", USER_PATCH)
def update(call: Call) -> Answer:
    values = validated("user", call.body)
    user = call.tenant.user(call.params["user"])
    _check_rights(call, user, values)
    profile = values.pop("passwordProfile", None)
    if profile is not None:
        if not isinstance(profile.get("password"), str) or len(profile["password"]) < 8:
            raise bad_request(
                "The specified password does not comply with password complexity requirements. "
                "Please provide a different password."
            )
        values["lastPasswordChangeDateTime"] = call.tenant.stamp()
        call.tenant.issued_secrets.append(profile["password"])
    call.tenant.users.change(user["id"], values)
    call.tenant.changes.note("user", user["id"], properties=tuple(values))
    return Answer(204)


@route("POST", "/users/{user}/changePassword", "Directory.AccessAsUser.All|User.ReadWrite.All")
def change_password(call: Call) -> Answer:
    """Only for the signed-in user; an application has none."""
    call.tenant.user(call.params["user"])
    raise denied("Access to change password operation is denied.")


@route("DELETE", "/users/{user}", USER_WRITE)
def delete(call: Call) -> Answer:
    from emulators.graph.state import Entity

    tenant = call.tenant
    user = tenant.user(call.params["user"])
    if _privileged(call, user["id"]) and not call.caller.directory_roles & MAY_TOUCH_PRIVILEGED:
        raise denied()
    tenant.deleted[user["id"]] = Entity("user", user | {"deletedDateTime": tenant.stamp()})
    tenant.users.remove(user["id"])
    tenant.changes.note("user", user["id"], removed="changed")
    return Answer(204)


@route("POST", "/users/{user}/getMemberGroups", "User.Read.All|Directory.Read.All")
def member_groups(call: Call) -> Answer:
    from emulators.graph.memberships import parents_of

    body = call.body
    if not isinstance(body, dict) or not isinstance(body.get("securityEnabledOnly"), bool):
        raise bad_request("The parameter 'securityEnabledOnly' is required.")
    identity = call.tenant.user(call.params["user"])["id"]
    found = [
        entity.id
        for entity in parents_of(call.tenant, identity, transitive=True)
        if entity.kind == "group"
        and (entity.body["securityEnabled"] or not body["securityEnabledOnly"])
    ]
    return Answer(200, {"@odata.context": call.context("Collection(Edm.String)"), "value": found})
