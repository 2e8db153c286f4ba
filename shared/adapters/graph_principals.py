"""Service principals: of applications that Keyturn registers, and of Microsoft's APIs.

Source: Graph v1.0 "Upsert servicePrincipal", "Create servicePrincipal", "servicePrincipal
resource type", "List owners of a servicePrincipal".
"""

from shared.adapters.graph_client import Graph
from shared.adapters.graph_query import create_if_missing, query
from shared.adapters.graph_rows import ClientRow, IdRow, PrincipalRow
from shared.adapters.settled import SPACING, settled
from shared.errors import NeedsHuman
from shared.model.directory import KnownId, Principal, WantedPrincipal

FIELDS = ["id", "appId", "accountEnabled", "appRoleAssignmentRequired", "tags"]
ALREADY = ("Request_MultipleObjectsWithSameKeyValue",)


class GraphPrincipals:
    """The part of ``ports.Applications`` that is about service principals."""

    def __init__(self, graph: Graph, pace: float) -> None:
        self._graph = graph
        self._spacing = SPACING * pace

    async def principal(self, client_id: str) -> Principal | None:
        row = await self._principal(client_id)
        return row.value() if row else None

    async def principal_owners(self, principal_id: str) -> frozenset[str]:
        principals = self._graph.client.service_principals
        builder = principals.by_service_principal_id(principal_id).owners
        info = builder.to_get_request_information(query(builder, select=["id"]))
        doing = f"reading owners of the service principal {principal_id}"
        rows = await self._graph.everything(info, IdRow, doing=doing)
        return frozenset(row.id for row in rows)

    async def ensure_principal(self, client_id: str, wanted: WantedPrincipal) -> None:
        from msgraph.generated.models.service_principal import ServicePrincipal

        body = ServicePrincipal(
            display_name=wanted.display_name,
            account_enabled=wanted.enabled,
            app_role_assignment_required=wanted.assignment_required,
            tags=list(wanted.tags),
        )
        builder = self._graph.client.service_principals_with_app_id(client_id)
        info = builder.to_patch_request_information(body, create_if_missing())
        await self._graph.write(
            info, doing=f"creating the service principal of {client_id}", already=ALREADY
        )

    async def allow_sign_in(self, client_id: str, *, allowed: bool) -> None:
        from msgraph.generated.models.service_principal import ServicePrincipal

        builder = self._graph.client.service_principals_with_app_id(client_id)
        info = builder.to_patch_request_information(ServicePrincipal(account_enabled=allowed))
        verb = "enabling" if allowed else "disabling"
        await self._graph.write(info, doing=f"{verb} the service principal of {client_id}")

    async def add_api(self, app_id: str) -> None:
        from msgraph.generated.models.service_principal import ServicePrincipal

        builder = self._graph.client.service_principals
        info = builder.to_post_request_information(ServicePrincipal(app_id=app_id))
        await self._graph.write(
            info, doing=f"adding the API {app_id} to the tenant", already=ALREADY
        )

    async def settled_principal(self, client_id: str) -> Principal | None:
        row = await settled(lambda: self._principal(client_id), spacing=self._spacing)
        return row.value() if row else None

    async def namesakes(self, display_name: str) -> frozenset[str]:
        """Asked of service principals: who may list applications differs between tenants."""
        builder = self._graph.client.service_principals
        text = display_name.replace("'", "''")
        info = builder.to_get_request_information(
            query(builder, filter=f"displayName eq '{text}'", select=["appId"])
        )
        try:
            rows = await self._graph.everything(info, ClientRow, doing="looking for namesakes")
        except NeedsHuman:  # it is for information only
            return frozenset()
        return frozenset(row.app_id for row in rows)

    async def identify(self, id_: str) -> KnownId | None:
        client = self._graph.client
        for builder, what in (
            (client.applications.by_application_id(id_), "the application's object id"),
            (
                client.service_principals.by_service_principal_id(id_),
                "the object id of the application's service principal",
            ),
        ):
            info = builder.to_get_request_information(query(builder, select=["appId"]))
            try:
                row = await self._graph.get(info, ClientRow, doing=f"looking up {id_}")
            except NeedsHuman:  # out of reach: as good as not there
                continue
            if row is not None:
                return KnownId(what=what, client_id=row.app_id)
        return None

    async def _principal(self, client_id: str) -> PrincipalRow | None:
        builder = self._graph.client.service_principals_with_app_id(client_id)
        info = builder.to_get_request_information(query(builder, select=FIELDS))
        return await self._graph.get(
            info, PrincipalRow, doing=f"reading the service principal of {client_id}"
        )
