"""What the API's registration consists of, in the SDK's models."""

from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from shared.model.caller import Role

AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
"""Microsoft's own client; preauthorised, so that `az account get-access-token` works for people."""

SCOPE = "user_impersonation"
ABOUT = {
    Role.READER: "Reads connections, findings and the audit",
    Role.OPERATOR: "Onboards products, changes, rotates, verifies and offboards them",
    Role.APPROVER: "Approves what is high-risk, and decides about findings",
}


def id_of(name: str) -> UUID:
    """The same in every tenant, so that a registration made anew keeps its roles' ids."""
    return uuid5(NAMESPACE_URL, f"urn:keyturn:api:{name}")


def lacking(found: Any) -> list[str]:
    """What the registration is to have and has not, in words."""
    if found is None:
        return ["app roles", "identifier URI", "token version 2", f"scope {SCOPE}"]
    roles = {role.value: role for role in found.app_roles or () if role.is_enabled}
    good = all(
        role.value in roles and {"User", "Application"} <= {*roles[role.value].allowed_member_types}
        for role in Role
    )
    parts = [] if good else ["app roles"]
    if f"api://{found.app_id}" not in (found.identifier_uris or ()):
        parts.append("identifier URI")
    if found.api is None or found.api.requested_access_token_version != 2:
        parts.append("token version 2")
    clients = (found.api.pre_authorized_applications or ()) if found.api else ()
    if AZURE_CLI not in {str(client.app_id) for client in clients}:
        parts.append(f"scope {SCOPE}")
    return parts


def wanted(known: Any, client_id: str) -> Any:
    """The changed parts of the registration; what others have added to it stays."""
    from msgraph.generated.models.api_application import ApiApplication
    from msgraph.generated.models.app_role import AppRole
    from msgraph.generated.models.application import Application
    from msgraph.generated.models.permission_scope import PermissionScope

    ids = {role.value: role.id for role in known.app_roles or ()}
    ours = [
        AppRole(
            id=ids.get(role.value, id_of(role.value)),
            value=role.value,
            display_name=role.value.replace(".", " "),
            description=ABOUT[role],
            allowed_member_types=["User", "Application"],
            is_enabled=True,
        )
        for role in Role
    ]
    others = [role for role in known.app_roles or () if role.value not in set(Role)]
    scopes = [*((known.api.oauth2_permission_scopes or ()) if known.api else ())]
    if SCOPE not in {scope.value for scope in scopes}:
        scopes.append(
            PermissionScope(
                id=id_of(SCOPE),
                value=SCOPE,
                type="User",
                is_enabled=True,
                admin_consent_display_name="Use Keyturn",
                admin_consent_description="Call Keyturn's API as the signed-in person",
            )
        )
    uri = f"api://{client_id}"
    return Application(
        app_roles=[*others, *ours],
        identifier_uris=[*dict.fromkeys([*(known.identifier_uris or ()), uri])],
        api=ApiApplication(requested_access_token_version=2, oauth2_permission_scopes=scopes),
    )


def preauthorised(known: Any) -> Any:
    from msgraph.generated.models.api_application import ApiApplication
    from msgraph.generated.models.application import Application
    from msgraph.generated.models.pre_authorized_application import PreAuthorizedApplication

    api = known.api
    scopes = (
        {scope.value: scope.id for scope in (api.oauth2_permission_scopes or ())} if api else {}
    )
    there = [*((api.pre_authorized_applications or ()) if api else ())]
    others = [client for client in there if str(client.app_id) != AZURE_CLI]
    scope = str(scopes.get(SCOPE, id_of(SCOPE)))
    ours = PreAuthorizedApplication(app_id=AZURE_CLI, delegated_permission_ids=[scope])
    return Application(api=ApiApplication(pre_authorized_applications=[*others, ours]))
