"""Who is in a group or holds a role, and which groups and roles there are.

Source: Graph v1.0 "List groups", "List unifiedRoleDefinitions", "List unifiedRoleAssignments",
"List roleEligibilityScheduleInstances", "List administrativeUnits".
"""

import re
from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec

from shared.adapters.graph_account_rows import GroupRow, RoleIdRow, RoleRow
from shared.adapters.graph_client import Graph, Page
from shared.adapters.graph_holders import Holders
from shared.adapters.graph_nested import Nested, Visit, Walk
from shared.adapters.graph_paging import LARGEST_PAGE, Listing, Reader
from shared.adapters.graph_query import query
from shared.adapters.graph_rows import NamedRow
from shared.adapters.graph_sending import Sender
from shared.errors import NeedsHuman, TryLater
from shared.model.accounts import Origin
from shared.model.entities import Page as FoundPage

RESTARTS = 5
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)

_groups = msgspec.json.Decoder(Page[GroupRow])
_roles = msgspec.json.Decoder(Page[RoleRow])
_used = msgspec.json.Decoder(Page[RoleIdRow])
_named = msgspec.json.Decoder(Page[NamedRow])


class GraphAccounts:
    """Implements ``ports.AccountReader``."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    async def resolve_groups(self, names: Sequence[str]) -> dict[str, list[Origin]]:
        return {name: await self._groups_called(name) for name in names}

    async def all_groups(self) -> list[Origin]:
        rows = await self._all(
            self._graph.client.groups,
            _groups,
            "listing the groups",
            top=True,
            select=["id", "displayName"],
        )
        return [row.origin() for row in rows]

    async def resolve_roles(self, names: Sequence[str]) -> dict[str, list[Origin]]:
        """All definitions are one page: one request serves any number of names."""
        roles = await self._role_rows()
        return {name: _roles_called(name, roles) for name in names}

    async def all_roles(self) -> list[Origin]:
        """Roles that somebody holds or may activate; a tenant has over a hundred definitions."""
        directory, used = self._graph.client.role_management.directory, set[str]()
        for builder in (directory.role_assignments, directory.role_eligibility_schedule_instances):
            try:
                rows = await self._all(
                    builder, _used, "listing the roles in use", select=["id", "roleDefinitionId"]
                )
            except NeedsHuman as problem:
                # Without PIM nobody is eligible; who holds a role is known all the same.
                if problem.code != "NOT_LICENSED":
                    raise
            else:
                used.update(row.role_definition_id for row in rows)
        return [row.origin() for row in await self._role_rows() if row.id in used]

    def member_pages(self, group: Origin, link: str = "") -> AsyncIterator[FoundPage]:
        visit = Visit(group.id, group, root=group.id)
        walk = Walk(level=(visit,), seen=(visit.key,), root=group.id)
        return self._walked(Nested(self._reader()), walk, link)

    def holder_pages(
        self, role: Origin, link: str = "", *, eligible: bool = False
    ) -> AsyncIterator[FoundPage]:
        holders = Holders(self._reader(), role, eligible=eligible)
        return self._walked(holders, Walk(holders=""), link)

    async def unit_names(self) -> dict[str, str]:
        rows = await self._all(
            self._graph.client.directory.administrative_units,
            _named,
            "listing the administrative units",
            select=["id", "displayName"],
        )
        return {row.id: row.display_name or row.id for row in rows}

    async def _walked(self, nested: Nested, walk: Walk, link: str) -> AsyncIterator[FoundPage]:
        async for page in nested.pages(Walk.parsed(link) if link else walk):
            yield page

    async def _groups_called(self, name: str) -> list[Origin]:
        groups = self._graph.client.groups
        if GUID.fullmatch(name):
            builder = groups.by_group_id(name)
            info = builder.to_get_request_information(query(builder, select=["id", "displayName"]))
            row = await self._reader().one(info, GroupRow, f"reading the group {name}")
            if row is not None:
                return [row.origin()]
        quoted = name.replace("'", "''")
        rows = await self._all(
            groups,
            _groups,
            f"finding the group {name}",
            select=["id", "displayName"],
            filter=f"displayName eq '{quoted}'",
        )
        return [row.origin() for row in rows]

    async def _role_rows(self) -> list[RoleRow]:
        return await self._all(
            self._graph.client.role_management.directory.role_definitions,
            _roles,
            "listing the directory roles",
            select=["id", "displayName", "templateId"],
        )

    async def _all(
        self, builder: Any, decoder: Any, doing: str, *, top: bool = False, **options: Any
    ) -> list[Any]:
        """A list that fits into memory, begun again when a page token expires on the way."""
        listing: Listing[Any] = Listing(
            lambda size: builder.to_get_request_information(
                query(builder, top=size or None, **options)
            ),
            decoder,
            doing,
            source="groups" if top else "",
            largest=LARGEST_PAGE if top else 0,
        )
        problem: NeedsHuman | None = None
        for _ in range(RESTARTS):
            try:
                return [row async for page in self._reader().pages(listing) for row in page.value]
            except NeedsHuman as refusal:
                if refusal.code != "PAGE_TOKEN_EXPIRED":
                    raise
                problem = refusal
        raise TryLater("PAGE_TOKEN_EXPIRED", problem.message if problem else doing)

    def _reader(self) -> Reader:
        return Reader(Sender(self._graph))


def _roles_called(name: str, roles: Sequence[RoleRow]) -> list[Origin]:
    by_id = [
        row for row in roles if name.lower() in (row.id.lower(), (row.template_id or "").lower())
    ]
    named = [row for row in roles if (row.display_name or "").casefold() == name.casefold()]
    return [row.origin() for row in by_id or named]
