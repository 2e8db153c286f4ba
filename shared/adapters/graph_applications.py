"""Application registrations.

Source: Graph v1.0 "Upsert application", "application resource type", "Get deleted item".
"""

from datetime import datetime
from typing import Any

from shared.adapters.graph_principals import GraphPrincipals
from shared.adapters.graph_query import create_if_missing, query
from shared.adapters.graph_rows import ApplicationRow, DeletedRow, IdRow
from shared.adapters.settled import settled
from shared.model.directory import Application, Kind, PermissionKey, WantedApplication

FIELDS = [
    "id",
    "appId",
    "displayName",
    "signInAudience",
    "isFallbackPublicClient",
    "web",
    "publicClient",
    "spa",
    "requiredResourceAccess",
    "tags",
    "createdDateTime",
    "servicePrincipalLockConfiguration",
]


class GraphApplications(GraphPrincipals):
    """Implements ``ports.Applications``."""

    async def find(self, unique_name: str) -> Application | None:
        builder = self._graph.client.applications_with_unique_name(unique_name)
        info = builder.to_get_request_information(query(builder, select=FIELDS))
        row = await self._graph.get(info, ApplicationRow, doing=f"finding {unique_name}")
        return row.value() if row else None

    async def of_client(self, client_id: str) -> Application | None:
        builder = self._graph.client.applications_with_app_id(client_id)
        info = builder.to_get_request_information(query(builder, select=FIELDS))
        row = await self._graph.get(info, ApplicationRow, doing=f"finding {client_id}")
        return row.value() if row else None

    async def ensure(self, wanted: WantedApplication) -> None:
        builder = self._graph.client.applications_with_unique_name(wanted.unique_name)
        info = builder.to_patch_request_information(_application(wanted), create_if_missing())
        await self._graph.write(info, doing=f"registering {wanted.unique_name}")

    async def update(self, object_id: str, wanted: WantedApplication) -> None:
        builder = self._graph.client.applications.by_application_id(object_id)
        info = builder.to_patch_request_information(_application(wanted))
        await self._graph.write(info, doing=f"changing the application {object_id}")

    async def configure(self, object_id: str, configured: frozenset[PermissionKey]) -> None:
        from msgraph.generated.models.application import Application as Body

        builder = self._graph.client.applications.by_application_id(object_id)
        body = Body(required_resource_access=_required(configured))
        info = builder.to_patch_request_information(body)
        await self._graph.write(info, doing=f"configuring the permissions of {object_id}")

    async def settled(self, object_id: str) -> Application | None:
        builder = self._graph.client.applications.by_application_id(object_id)
        info = builder.to_get_request_information(query(builder, select=FIELDS))

        async def read() -> ApplicationRow | None:
            return await self._graph.get(info, ApplicationRow, doing=f"reading {object_id}")

        row = await settled(read, spacing=self._spacing)
        return row.value() if row else None

    async def owners(self, object_id: str) -> frozenset[str]:
        builder = self._graph.client.applications.by_application_id(object_id).owners
        info = builder.to_get_request_information(query(builder, select=["id"]))
        rows = await self._graph.everything(info, IdRow, doing=f"reading owners of {object_id}")
        return frozenset(row.id for row in rows)

    async def add_owner(self, object_id: str, principal_id: str) -> None:
        from msgraph.generated.models.reference_create import ReferenceCreate

        base = self._graph.client.request_adapter.base_url
        body = ReferenceCreate(odata_id=f"{base}/directoryObjects/{principal_id}")
        builder = self._graph.client.applications.by_application_id(object_id).owners.ref
        await self._graph.write(
            builder.to_post_request_information(body),
            doing=f"adding an owner to {object_id}",
            already=("One or more added object references already exist",),
        )

    async def lock(self, object_id: str) -> None:
        from msgraph.generated.models.application import Application as Body
        from msgraph.generated.models.service_principal_lock_configuration import (
            ServicePrincipalLockConfiguration,
        )

        lock = ServicePrincipalLockConfiguration(is_enabled=True, all_properties=True)
        builder = self._graph.client.applications.by_application_id(object_id)
        info = builder.to_patch_request_information(Body(service_principal_lock_configuration=lock))
        await self._graph.write(info, doing=f"locking {object_id}")

    async def remove(self, object_id: str) -> None:
        builder = self._graph.client.applications.by_application_id(object_id)
        await self._graph.write(
            builder.to_delete_request_information(),
            doing=f"deleting the application {object_id}",
            already=("HTTP 404",),
        )

    async def deleted(self, object_id: str) -> datetime | None:
        builder = self._graph.client.directory.deleted_items.by_directory_object_id(object_id)
        info = builder.to_get_request_information(query(builder, select=["id", "deletedDateTime"]))
        row = await self._graph.get(info, DeletedRow, doing=f"looking for {object_id} as deleted")
        return row.deleted_date_time if row else None


def _application(wanted: WantedApplication) -> Any:
    """The whole registration: PATCH replaces collections, so each is sent complete."""
    from msgraph.generated.models.application import Application as Body
    from msgraph.generated.models.public_client_application import PublicClientApplication
    from msgraph.generated.models.spa_application import SpaApplication
    from msgraph.generated.models.web_application import WebApplication

    return Body(
        display_name=wanted.display_name,
        sign_in_audience=wanted.audience,
        is_fallback_public_client=wanted.public_client,
        web=WebApplication(redirect_uris=list(wanted.web_redirects)),
        public_client=PublicClientApplication(redirect_uris=list(wanted.native_redirects)),
        spa=SpaApplication(redirect_uris=list(wanted.spa_redirects)),
        tags=list(wanted.tags),
        required_resource_access=_required(wanted.configured),
    )


def _required(configured: frozenset[PermissionKey]) -> Any:
    from msgraph.generated.models.required_resource_access import RequiredResourceAccess
    from msgraph.generated.models.resource_access import ResourceAccess

    return [
        RequiredResourceAccess(
            resource_app_id=resource,
            resource_access=[
                ResourceAccess(
                    id=_uuid(key.id), type="Role" if key.kind == Kind.APPLICATION else "Scope"
                )
                for key in sorted(configured, key=lambda key: (key.kind, key.id))
                if key.resource == resource
            ],
        )
        for resource in sorted({key.resource for key in configured})
    ]


def _uuid(text: str) -> Any:
    from uuid import UUID

    return UUID(text)
