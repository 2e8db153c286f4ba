"""The tenant, its APIs, and the automation's own identity.

Source: Graph v1.0 "List organization", "Get servicePrincipal"; token claims reference.
"""

from shared.adapters.graph_client import Graph, Page
from shared.adapters.graph_query import query
from shared.adapters.graph_rows import IdRow, OrganizationRow, PrincipalRow
from shared.errors import NeedsHuman, TryLater
from shared.model.directory import Resource, Tenant


class GraphDirectory:
    """Implements ``ports.Directory``."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._resources: dict[str, Resource] = {}
        self._tenant: Tenant | None = None

    async def tenant(self) -> Tenant:
        if self._tenant is None:
            builder = self._graph.client.organization
            info = builder.to_get_request_information(
                query(builder, select=["id", "displayName", "verifiedDomains"])
            )
            rows = await self._graph.everything(info, OrganizationRow, doing="reading the tenant")
            if not rows:
                raise TryLater("GRAPH_UNAVAILABLE", "Graph named no tenant")
            domains = rows[0].verified_domains
            self._compare(rows[0])
            initial = next((domain.name for domain in domains if domain.is_initial), "")
            self._tenant = Tenant(
                id=rows[0].id,
                name=rows[0].display_name or "",
                initial_domain=initial,
                domains=tuple(domain.name for domain in domains),
            )
        return self._tenant

    def _compare(self, row: OrganizationRow) -> None:
        """A wrong tenant is told before anything is written into it."""
        configured = self._graph.tenant_id.lower()
        if configured not in {row.id.lower(), *(d.name.lower() for d in row.verified_domains)}:
            raise NeedsHuman(
                "TENANT_MISMATCH",
                f"The automation's identity belongs to the tenant {row.id} "
                f"({row.display_name or 'without a name'}), the settings name {configured}.",
                "Correct KEYTURN_TENANT_ID, or give this app an identity of that tenant; then send "
                "the request again.",
            )

    async def own_roles(self, *, fresh: bool = False) -> frozenset[str]:
        return await self._graph.roles(fresh=fresh)

    async def own_principal(self) -> str:
        return str((await self._graph.claims()).get("oid", ""))

    async def resource(self, app_id: str, *, fresh: bool = False) -> Resource | None:
        """An API's permissions change rarely: read once a process, again when one is missing."""
        if fresh:
            self._resources.pop(app_id, None)
        if app_id not in self._resources:
            builder = self._graph.client.service_principals_with_app_id(app_id)
            fields = ["id", "appId", "appRoles", "oauth2PermissionScopes"]
            info = builder.to_get_request_information(query(builder, select=fields))
            row = await self._graph.get(info, PrincipalRow, doing=f"reading the API {app_id}")
            if row is None:
                return None
            self._resources[app_id] = row.resource()
        return self._resources[app_id]

    async def hybrid(self) -> bool:
        builder = self._graph.client.users
        synchronised = "onPremisesSyncEnabled eq true"
        info = builder.to_get_request_information(
            query(builder, filter=synchronised, select=["id"], top=1)
        )
        page = await self._graph.get(info, Page[IdRow], doing="looking for synchronised accounts")
        return page is not None and bool(page.value)

    async def user_id(self, name: str) -> str | None:
        builder = self._graph.client.users.by_user_id(name)
        info = builder.to_get_request_information(query(builder, select=["id"]))
        row = await self._graph.get(info, IdRow, doing=f"looking for the user {name}")
        return row.id if row else None
