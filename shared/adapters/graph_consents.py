"""Granted permissions.

Source: Graph v1.0 "Grant an appRoleAssignment for a service principal", "List
oauth2PermissionGrants".
"""

from uuid import UUID

from shared.adapters.graph_client import Graph
from shared.adapters.graph_query import query
from shared.adapters.graph_rows import DelegatedRow, GrantRow
from shared.model.directory import DelegatedGrant, Grant

ALREADY = ("EntitlementGrant entry already exists", "already exists on the object")


class GraphConsents:
    """Implements ``ports.Consents``."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    async def granted(self, principal_id: str) -> list[Grant]:
        principals = self._graph.client.service_principals
        builder = principals.by_service_principal_id(principal_id).app_role_assignments
        rows = await self._graph.everything(
            builder.to_get_request_information(),
            GrantRow,
            doing=f"reading the permissions granted to {principal_id}",
        )
        return [row.value() for row in rows]

    async def delegated(self, principal_id: str) -> list[DelegatedGrant]:
        builder = self._graph.client.oauth2_permission_grants
        info = builder.to_get_request_information(
            query(builder, filter=f"clientId eq '{principal_id}'")
        )
        rows = await self._graph.everything(
            info, DelegatedRow, doing=f"reading the delegated grants of {principal_id}"
        )
        return [row.value() for row in rows]

    async def grant(self, principal_id: str, resource_id: str, permission_id: str) -> None:
        from msgraph.generated.models.app_role_assignment import AppRoleAssignment

        body = AppRoleAssignment(
            principal_id=UUID(principal_id),
            resource_id=UUID(resource_id),
            app_role_id=UUID(permission_id),
        )
        principals = self._graph.client.service_principals
        builder = principals.by_service_principal_id(resource_id).app_role_assigned_to
        await self._graph.write(
            builder.to_post_request_information(body),
            doing=f"granting {permission_id} to {principal_id}",
            already=ALREADY,
        )
