"""Microsoft's part of every tenant: its own service principals and the built-in roles."""

import json
from collections.abc import Sequence
from importlib import resources
from typing import Any

from emulators.graph.directory_roles import make_role
from emulators.graph.shapes import SERVICE_PRINCIPAL, fresh
from emulators.graph.state import Entity, Tenant
from emulators.graph.tokens import GRAPH_APP_ID

PERMISSIONS: dict[str, Any] = json.loads(
    resources.files("emulators.graph").joinpath("data/permissions.json").read_text()
)
MICROSOFT = "f8cdef31-a31e-4b4a-93e4-5f571e91255a"
"""The tenant that owns Microsoft's own services."""
SERVICES: dict[str, dict[str, Any]] = {row["appId"]: row for row in PERMISSIONS["services"]}
"""Microsoft's other APIs by application id; a tenant that lacks one can add it."""
EPOCH = "2024-01-10T08:00:00Z"


def _app_role(permission: dict[str, Any]) -> dict[str, Any]:
    return {
        "allowedMemberTypes": ["Application"],
        "description": permission["description"],
        "displayName": permission["displayName"],
        "id": permission["id"],
        "isEnabled": permission.get("isEnabled", True),
        "origin": "Application",
        "value": permission["name"],
    }


def _scope(permission: dict[str, Any]) -> dict[str, Any]:
    return {
        "adminConsentDescription": permission["description"],
        "adminConsentDisplayName": permission["displayName"],
        "id": permission["id"],
        "isEnabled": True,
        "type": permission.get("scopeType", "Admin"),
        "userConsentDescription": permission["description"],
        "userConsentDisplayName": permission["displayName"],
        "value": permission["name"],
    }


def seed_services(tenant: Tenant) -> Entity:
    graph = _service(
        tenant,
        "Microsoft Graph",
        GRAPH_APP_ID,
        ("https://graph.microsoft.com", "https://graph.microsoft.com/"),
        PERMISSIONS["permissions"],
    )
    tenant.add(graph, settled=True)
    for app_id in SERVICES:
        tenant.add(make_service(tenant, app_id), settled=True)
    return graph


def make_service(tenant: Tenant, app_id: str) -> Entity:
    """A service principal of one of Microsoft's other APIs, not yet in the tenant."""
    row = SERVICES[app_id]
    return _service(tenant, row["name"], app_id, row["names"], row["permissions"])


def _service(
    tenant: Tenant, name: str, app_id: str, names: Sequence[str], offered: list[dict[str, Any]]
) -> Entity:
    values = {
        "id": tenant.ids.guid(),
        "appId": app_id,
        "appDisplayName": name,
        "displayName": name,
        "appOwnerOrganizationId": MICROSOFT,
        "createdDateTime": EPOCH,
        "servicePrincipalNames": [app_id, *names],
        "signInAudience": "AzureADMultipleOrgs",
        "appRoles": [_app_role(row) for row in offered if row["kind"] == "application"],
        "oauth2PermissionScopes": [_scope(row) for row in offered if row["kind"] == "delegated"],
    }
    return Entity("servicePrincipal", fresh(SERVICE_PRINCIPAL, values))


def seed_roles(tenant: Tenant) -> None:
    for row in PERMISSIONS["directoryRoles"]:
        template = row["templateId"]
        tenant.role_definitions[template] = {
            "id": template,
            "description": f"Built-in role {row['name']}.",
            "displayName": row["name"],
            "isBuiltIn": True,
            "isEnabled": True,
            "resourceScopes": ["/"],
            "rolePermissions": [{"allowedResourceActions": [], "condition": None}],
            "templateId": template,
            "version": "1",
        }
        if row["isPrivileged"]:
            tenant.privileged_roles.add(template)
        tenant.add(make_role(tenant, template), settled=True)


def role_id(tenant: Tenant, name: str) -> str:
    """Template id of a role given by name or id."""
    for template, definition in tenant.role_definitions.items():
        if name.lower() in (template, definition["displayName"].lower()):
            return template
    raise KeyError(name)
