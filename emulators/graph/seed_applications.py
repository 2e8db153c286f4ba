"""Applications that are there from the start."""

from collections.abc import Sequence
from dataclasses import dataclass

from emulators.graph.grants import make_grant
from emulators.graph.shapes import APPLICATION, SERVICE_PRINCIPAL, fresh
from emulators.graph.state import Entity, Secret, Tenant

EPOCH = "2024-01-10T08:00:00Z"


@dataclass(frozen=True)
class SeededApp:
    client_id: str
    client_secret: str
    object_id: str
    """Of the service principal."""


def seed_application(
    tenant: Tenant, name: str, api: Entity | None = None, permissions: Sequence[str] = ()
) -> SeededApp:
    """An application with a secret that outlives any test, and these permissions of an API."""
    app_id = tenant.ids.guid()
    values = {
        "id": tenant.ids.guid(),
        "appId": app_id,
        "createdDateTime": EPOCH,
        "displayName": name,
        "publisherDomain": tenant.domain,
    }
    application = Entity("application", fresh(APPLICATION, values))
    text = tenant.ids.secret()
    application.secrets.append(
        Secret(tenant.ids.guid(), "seeded", EPOCH, "2099-01-01T00:00:00Z", text, born=None)
    )
    tenant.issued_secrets.append(text)
    tenant.add(application, settled=True)
    principal = Entity(
        "servicePrincipal",
        fresh(
            SERVICE_PRINCIPAL,
            {
                "id": tenant.ids.guid(),
                "appId": app_id,
                "appDisplayName": name,
                "displayName": name,
                "appOwnerOrganizationId": tenant.id,
                "createdDateTime": EPOCH,
                "servicePrincipalNames": [app_id],
                "signInAudience": "AzureADMyOrg",
                "tags": ["WindowsAzureActiveDirectoryIntegratedApp"],
            },
        ),
    )
    tenant.add(principal, settled=True)
    if api is not None:
        ids = {role["value"]: role["id"] for role in api.body["appRoles"]}
        for permission in permissions:
            make_grant(tenant, principal.id, api.id, ids[permission], settled=True)
    return SeededApp(app_id, text, principal.id)
