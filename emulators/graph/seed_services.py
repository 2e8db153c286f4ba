"""Microsoft's part of every tenant: its own service principals and the built-in roles."""

import json
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
SERVICES = (
    ("Azure DevOps", "499b84ac-1321-427f-aa17-267ca6975798", ()),
    ("Azure Key Vault", "cfa8b339-82a2-471a-a3c9-0fc0be7a4093", ("https://vault.azure.net",)),
    ("Azure Storage", "e406a681-f3d4-42a8-90b6-c2b029497af1", ("https://storage.azure.com",)),
    (
        "Windows Azure Service Management API",
        "797f4846-ba00-4fd7-ba43-dac1f8f63013",
        ("https://management.azure.com", "https://management.core.windows.net"),
    ),
    (
        "Office 365 Management APIs",
        "c5393580-f805-4401-95e8-94b7a6ef2fc2",
        ("https://manage.office.com",),
    ),
)
EPOCH = "2024-01-10T08:00:00Z"


def _app_role(permission: dict[str, Any]) -> dict[str, Any]:
    return {
        "allowedMemberTypes": ["Application"],
        "description": permission["description"],
        "displayName": permission["displayName"],
        "id": permission["id"],
        "isEnabled": True,
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
    rows = PERMISSIONS["permissions"]
    graph = _service(
        tenant,
        "Microsoft Graph",
        GRAPH_APP_ID,
        ("https://graph.microsoft.com", "https://graph.microsoft.com/"),
        appRoles=[_app_role(row) for row in rows if row["kind"] == "application"],
        oauth2PermissionScopes=[_scope(row) for row in rows if row["kind"] == "delegated"],
    )
    for name, app_id, names in SERVICES:
        made = _service(tenant, name, app_id, names)
        if name == "Office 365 Management APIs":
            feed = {
                "name": "ActivityFeed.Read",
                "id": "594c1fb6-4f81-4475-ae41-0c394909246c",
                "displayName": "Read activity data for your organization",
                "description": "Allows the application to read activity data.",
            }
            made.body["appRoles"] = [_app_role(feed)]
    return graph


def _service(tenant: Tenant, name: str, app_id: str, names: tuple[str, ...], **more: Any) -> Entity:
    values = {
        "id": tenant.ids.guid(),
        "appId": app_id,
        "appDisplayName": name,
        "displayName": name,
        "appOwnerOrganizationId": MICROSOFT,
        "createdDateTime": EPOCH,
        "servicePrincipalNames": [app_id, *names],
        "signInAudience": "AzureADMultipleOrgs",
    }
    entity = Entity("servicePrincipal", fresh(SERVICE_PRINCIPAL, values | more))
    tenant.add(entity, settled=True)
    return entity


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
