"""Directory roles. Source: Graph v1.0 "Create unifiedRoleAssignment" and its neighbours."""

from datetime import timedelta

from shared.adapters.graph_client import Graph
from shared.adapters.graph_query import query
from shared.adapters.graph_rows import NamedRow, RoleAssignmentRow
from shared.adapters.settled import ROLE_READS, SPACING, settled
from shared.errors import TryLater
from shared.model.directory import RoleAssignment

ALREADY = (
    "A conflicting object with one or more of the specified property values is present",
    "The Role assignment already exists",
)

NOT_YET = "ROLE_NOT_FOUND_FLAP"
"""The role or the principal is not visible on every replica (404 Request_ResourceNotFound)."""

SOON = timedelta(seconds=5)
PATIENCE = timedelta(minutes=5)


class GraphRoles:
    """Implements ``ports.Roles``."""

    def __init__(self, graph: Graph, pace: float) -> None:
        self._graph = graph
        self._spacing = SPACING * pace

    async def role_id(self, name: str) -> str | None:
        builder = self._graph.client.role_management.directory.role_definitions
        quoted = name.replace("'", "''")
        info = builder.to_get_request_information(
            query(builder, filter=f"displayName eq '{quoted}'", select=["id", "displayName"])
        )
        rows = await self._graph.everything(info, NamedRow, doing=f"finding the role {name}")
        return next((row.id for row in rows if row.display_name == name), None)

    async def names(self) -> dict[str, str]:
        builder = self._graph.client.role_management.directory.role_definitions
        info = builder.to_get_request_information(query(builder, select=["id", "displayName"]))
        rows = await self._graph.everything(info, NamedRow, doing="listing the directory roles")
        return {row.id: row.display_name or row.id for row in rows}

    async def assigned(self, principal_id: str) -> list[RoleAssignment]:
        builder = self._graph.client.role_management.directory.role_assignments
        info = builder.to_get_request_information(
            query(builder, filter=f"principalId eq '{principal_id}'", expand=["principal"])
        )
        rows = await self._graph.everything(
            info, RoleAssignmentRow, doing=f"reading the roles of {principal_id}"
        )
        return [row.value() for row in rows]

    async def assign(self, principal_id: str, role_id: str) -> None:
        from msgraph.generated.models.unified_role_assignment import UnifiedRoleAssignment

        body = UnifiedRoleAssignment(
            role_definition_id=role_id, principal_id=principal_id, directory_scope_id="/"
        )
        builder = self._graph.client.role_management.directory.role_assignments
        try:
            await self._graph.write(
                builder.to_post_request_information(body),
                doing=f"assigning role {role_id} to {principal_id}",
                already=ALREADY,
            )
        except TryLater as flap:
            if "HTTP 404" not in flap.message:
                raise
            raise TryLater(NOT_YET, flap.message, after=SOON, limit=PATIENCE) from flap

    async def unassign(self, assignment: RoleAssignment) -> None:
        assignments = self._graph.client.role_management.directory.role_assignments
        builder = assignments.by_unified_role_assignment_id(assignment.id)
        await self._graph.write(
            builder.to_delete_request_information(),
            doing=f"taking away the role assignment {assignment.id}",
            already=("HTTP 404",),
        )

    async def settled_assignment(self, principal_id: str, role_id: str) -> RoleAssignment | None:
        async def read() -> RoleAssignment | None:
            held = await self.assigned(principal_id)
            return next((a for a in held if a.role_id == role_id and a.everywhere), None)

        return await settled(read, times=ROLE_READS, spacing=self._spacing)
