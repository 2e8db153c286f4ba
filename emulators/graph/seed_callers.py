"""The application that stands for the functions' API, and three applications that may call it."""

from dataclasses import dataclass

from emulators.graph.grants import make_grant
from emulators.graph.seed_applications import SeededApp, seed_application
from emulators.graph.state import Tenant

API = "Keyturn API"

ROLES = {"reader": "Reader", "operator": "Operator", "approver": "Approver"}
"""Callers by name, and the one app role that each is assigned."""


@dataclass(frozen=True)
class Callers:
    """`audience` is the API's client id; its identifier URI is ``api://<audience>``."""

    audience: str
    apps: dict[str, SeededApp]


def seed_callers(tenant: Tenant) -> Callers:
    """Seed the API with its app roles, and one application for each role."""
    made = seed_application(tenant, API)
    ids = {name: tenant.ids.guid() for name in ROLES}
    roles = [
        {
            "allowedMemberTypes": ["Application", "User"],
            "description": f"{title} of Keyturn",
            "displayName": title,
            "id": ids[name],
            "isEnabled": True,
            "origin": "Application",
            "value": f"Keyturn.{title}",
        }
        for name, title in ROLES.items()
    ]
    application = tenant.application_of(made.client_id)
    api = tenant.principal_of(made.client_id)
    if application is None or api is None:
        raise LookupError(API)
    application.body |= {"appRoles": roles, "identifierUris": [f"api://{made.client_id}"]}
    api.body |= {"appRoles": roles, "appRoleAssignmentRequired": True}
    api.body["servicePrincipalNames"] = [made.client_id, f"api://{made.client_id}"]
    apps = {name: seed_application(tenant, f"Keyturn {title}") for name, title in ROLES.items()}
    for name, app in apps.items():
        make_grant(tenant, app.object_id, api.id, ids[name], settled=True)
    return Callers(made.client_id, apps)
