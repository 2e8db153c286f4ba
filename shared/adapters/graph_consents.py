"""Granted permissions.

Source: Graph v1.0 "Grant an appRoleAssignment for a service principal", "Create
oAuth2PermissionGrant", "Update oAuth2PermissionGrant".
"""

from datetime import timedelta
from uuid import UUID

from shared.adapters.graph_client import Graph
from shared.adapters.graph_query import query
from shared.adapters.graph_rows import DelegatedRow, GrantRow, IdRow
from shared.errors import TryLater
from shared.model.directory import DelegatedGrant, Grant

ALREADY = ("EntitlementGrant entry already exists", "already exists on the object")
TAKEN = "Permission entry already exists"
GONE = ("queried reference-property objects are not present",)


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

    async def revoke(self, grant: Grant) -> None:
        principals = self._graph.client.service_principals
        builder = principals.by_service_principal_id(grant.resource_id).app_role_assigned_to
        one = builder.by_app_role_assignment_id(grant.id)
        await self._graph.write(
            one.to_delete_request_information(),
            doing=f"taking back {grant.permission_id}",
            already=GONE,
        )

    async def grant_scopes(
        self, principal_id: str, resource_id: str, scopes: tuple[str, ...]
    ) -> None:
        from msgraph.generated.models.o_auth2_permission_grant import OAuth2PermissionGrant

        body = OAuth2PermissionGrant(
            client_id=principal_id,
            resource_id=resource_id,
            consent_type="AllPrincipals",
            scope=" ".join(scopes),
        )
        doing = f"granting {' '.join(scopes)} to {principal_id}"
        made = await self._graph.post(
            self._graph.client.oauth2_permission_grants.to_post_request_information(body),
            IdRow,
            doing=doing,
            already=(TAKEN,),
        )
        if made is None:
            raise TryLater(
                "ALREADY_THERE",
                f"{doing}: such a grant is there; its scopes are read before they are changed.",
                after=timedelta(seconds=5),
            )

    async def set_scopes(self, grant: DelegatedGrant, scopes: tuple[str, ...]) -> None:
        from msgraph.generated.models.o_auth2_permission_grant import OAuth2PermissionGrant

        builder = self._graph.client.oauth2_permission_grants
        one = builder.by_o_auth2_permission_grant_id(grant.id)
        if scopes:
            body = OAuth2PermissionGrant(scope=" ".join(scopes))
            info = one.to_patch_request_information(body)
        else:
            info = one.to_delete_request_information()
        await self._graph.write(
            info,
            doing=f"setting the delegated permissions to {' '.join(scopes) or 'none'}",
            already=() if scopes else GONE,
        )
