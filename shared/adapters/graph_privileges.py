"""Who holds which directory role, and who is in a role-assignable group, for the whole tenant.

Source: Graph v1.0 "List unifiedRoleAssignments", "List roleEligibilityScheduleInstances", "List
administrativeUnits", "List group transitive members", "List group owners"; Entra "Use groups to
assign roles": only groups with isAssignableToRole can hold one, and a tenant has 500 at most.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any, TypeVar

from shared.adapters.graph_account_pages import pages
from shared.adapters.graph_client import Graph, Page
from shared.adapters.graph_privilege_rows import (
    UNIT,
    AssignmentRow,
    DefinitionRow,
    UnitRow,
    held_by,
)
from shared.adapters.graph_query import query
from shared.adapters.graph_rows import IdRow, NamedRow
from shared.adapters.side_by_side import side_by_side
from shared.errors import NeedsHuman
from shared.model.privilege import GROUP, Held, Privileges

T = TypeVar("T")

LARGEST_PAGE = 999
READERS = 6
"""Groups read at the same time: more would only run into Graph's throttling."""

NO_LICENCE = "AadPremiumLicenseRequired"
"""Without Entra ID P2 there is no PIM, hence nobody is eligible."""


class GraphPrivileges:
    """Implements ``ports.PrivilegeReader``."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    async def privileges(self) -> Privileges:
        return await _Reading(self._graph).privileges()


class _Reading:
    """One read of the tenant; what is refused is noted and the rest goes on."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._unknown: list[str] = []
        self._held: defaultdict[str, dict[Held, None]] = defaultdict(dict)
        self._at_once = asyncio.Semaphore(READERS)

    async def privileges(self) -> Privileges:
        read_roles = "RoleManagement.Read.Directory"
        definitions = await self._part("names of roles", read_roles, self._definitions)
        active = await self._part("roles", read_roles, self._active)
        eligible = await self._part(
            "eligible roles", "RoleEligibilitySchedule.Read.Directory", self._eligible
        )
        groups = await self._part("role-assignable groups", "Group.Read.All", self._groups)
        restricted = await self._restricted([*active, *eligible])
        names = {row.id: row for row in definitions}
        by_principal: defaultdict[str, list[Held]] = defaultdict(list)
        for rows, via in ((active, ""), (eligible, "eligible")):
            for row in rows:
                by_principal[row.principal_id].append(held_by(row, names, restricted, via))
        members = await side_by_side(self._around(group) for group in groups)
        for group, (users, owners) in zip(groups, members, strict=True):
            self._through(group, users, owners, by_principal.pop(group.id, []))
        for principal, things in by_principal.items():
            self._add(principal, things)
        return Privileges(
            held={user: tuple(things) for user, things in self._held.items()},
            unknown=tuple(sorted(self._unknown)),
        )

    def _through(
        self, group: NamedRow, users: Iterable[str], owners: Iterable[str], roles: list[Held]
    ) -> None:
        """Members hold the group's roles; owners can make themselves members."""
        name = group.display_name or group.id
        for user in users:
            self._add(user, [Held(kind=GROUP, name=name)])
            self._add(user, [Held(kind=r.kind, name=r.name, via=r.via or name) for r in roles])
        for user in owners:
            self._add(user, [Held(kind=GROUP, name=name, via="owner")])

    def _add(self, user: str, things: Iterable[Held]) -> None:
        self._held[user].update(dict.fromkeys(things))

    async def _part(
        self, what: str, permission: str, read: Callable[[], Awaitable[list[T]]]
    ) -> list[T]:
        """What was read; nothing when it was refused, which is noted."""
        try:
            async with self._at_once:
                return await read()
        except NeedsHuman as problem:
            self._unknown.append(f"{what} ({problem.code}; reading them needs {permission})")
            return []

    async def _definitions(self) -> list[DefinitionRow]:
        builder = self._graph.client.role_management.directory.role_definitions
        select = ["id", "displayName", "isBuiltIn"]
        return await self._all(builder, DefinitionRow, "listing the directory roles", select)

    async def _active(self) -> list[AssignmentRow]:
        builder = self._graph.client.role_management.directory.role_assignments
        return await self._assignments(builder, "reading who holds directory roles")

    async def _eligible(self) -> list[AssignmentRow]:
        builder = self._graph.client.role_management.directory.role_eligibility_schedule_instances
        try:
            return await self._assignments(builder, "reading who may activate directory roles")
        except NeedsHuman as problem:
            if NO_LICENCE not in problem.message:
                raise
            return []

    async def _assignments(self, builder: Any, doing: str) -> list[AssignmentRow]:
        select = ["id", "principalId", "roleDefinitionId", "directoryScopeId"]
        return await self._all(builder, AssignmentRow, doing, select)

    async def _groups(self) -> list[NamedRow]:
        found = await self._all(
            self._graph.client.groups,
            NamedRow,
            "listing the role-assignable groups",
            ["id", "displayName"],
            filter="isAssignableToRole eq true",
            top=LARGEST_PAGE,
        )
        return list({row.id: row for row in found}.values())

    async def _restricted(self, rows: Iterable[AssignmentRow]) -> frozenset[str]:
        """Ids of the restricted management units, if any role is scoped to a unit."""
        if not any(UNIT in (row.directory_scope_id or "") for row in rows):
            return frozenset()

        async def read() -> list[UnitRow]:
            builder = self._graph.client.directory.administrative_units
            select = ["id", "displayName", "isMemberManagementRestricted"]
            return await self._all(builder, UnitRow, "listing the administrative units", select)

        units = await self._part("administrative units", "AdministrativeUnit.Read.All", read)
        return frozenset(unit.id for unit in units if unit.is_member_management_restricted)

    async def _around(self, group: NamedRow) -> tuple[list[str], list[str]]:
        """Ids of the users who are in the group, and of those who own it."""
        around = self._graph.client.groups.by_group_id(group.id)
        name = group.display_name or group.id

        async def users() -> list[str]:
            members = around.transitive_members.graph_user
            return await self._users(members, f"members of {name}", top=LARGEST_PAGE)

        async def owners() -> list[str]:
            return await self._users(around.owners.graph_user, f"owners of {name}")

        return (
            await self._part(f"members of {name}", "GroupMember.Read.All", users),
            await self._part(f"owners of {name}", "Group.Read.All", owners),
        )

    async def _users(self, builder: Any, what: str, **options: Any) -> list[str]:
        rows = await self._all(builder, IdRow, f"reading the {what}", ["id"], count=True, **options)
        return [row.id for row in rows]

    async def _all(
        self, builder: Any, type_: type[T], doing: str, select: list[str], **options: Any
    ) -> list[T]:
        def request() -> Any:
            configuration = query(builder, select=select, **options)
            if options.get("count"):  # a cast segment is an advanced query
                configuration.headers.add("ConsistencyLevel", "eventual")
            return builder.to_get_request_information(configuration)

        listing: AsyncIterator[list[T]] = pages(
            self._graph,
            request,
            Page[type_],  # type: ignore[valid-type] # decoded at run time
            doing=doing,
        )
        return [row async for rows in listing for row in rows]
