"""The tenant, its APIs, and the automation's own identity.

Source: Graph v1.0 "List organization", "Get servicePrincipal"; token claims reference.
"""

import base64
from typing import TYPE_CHECKING, Any

import msgspec

from shared.adapters.graph_client import Graph, Page
from shared.adapters.graph_errors import graph_errors
from shared.adapters.graph_query import query
from shared.adapters.graph_rows import IdRow, OrganizationRow, PrincipalRow
from shared.errors import TryLater
from shared.model.directory import Resource, Tenant

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential


class GraphDirectory:
    """Implements ``ports.Directory``."""

    def __init__(self, graph: Graph, credential: "AsyncTokenCredential") -> None:
        self._graph = graph
        self._credential = credential
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
            initial = next((domain.name for domain in domains if domain.is_initial), "")
            self._tenant = Tenant(
                id=rows[0].id, name=rows[0].display_name or "", initial_domain=initial
            )
        return self._tenant

    async def own_roles(self) -> frozenset[str]:
        return frozenset((await self._claims()).get("roles", ()))

    async def own_principal(self) -> str:
        return str((await self._claims()).get("oid", ""))

    async def resource(self, app_id: str) -> Resource | None:
        """An API's permissions change rarely: read once a process, again when one is missing."""
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

    async def _claims(self) -> dict[str, Any]:
        with graph_errors("signing in as the automation"):
            token = await self._credential.get_token(self._graph.scope)
        return claims(token.token)


def claims(token: str) -> dict[str, Any]:
    """The payload of a token that we asked for ourselves; its issuer was met over TLS."""
    payload = token.split(".")[1]
    padded = payload + "=" * (-len(payload) % 4)
    found: dict[str, Any] = msgspec.json.decode(base64.urlsafe_b64decode(padded))
    return found
