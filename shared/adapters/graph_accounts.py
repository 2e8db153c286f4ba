"""Who is in a group or holds a role.

Source: Graph v1.0 "List group transitive members", "List unifiedRoleAssignments", "List
roleEligibilityScheduleInstances"; Entra "Advanced query capabilities" for the cast segment.
"""

import re
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from msgspec.structs import replace

from shared.adapters.graph_account_pages import pages
from shared.adapters.graph_account_rows import (
    GROUP,
    USER,
    USER_FIELDS,
    GroupRow,
    HolderRow,
    HoldingRow,
    RoleIdRow,
    RoleRow,
    UserRow,
)
from shared.adapters.graph_client import Graph, Page
from shared.adapters.graph_query import query
from shared.errors import NeedsHuman
from shared.model.accounts import Account, Origin, Through
from shared.model.entities import Page as FoundPage

LARGEST_PAGE = 999
NO_LICENCE = "AadPremiumLicenseRequired"
"""Without Entra ID P2 there is no PIM, hence nobody is eligible."""

GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class GraphAccounts:
    """Implements ``ports.AccountReader``."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    async def resolve_groups(self, names: Sequence[str]) -> dict[str, list[Origin]]:
        return {name: await self._groups_called(name) for name in names}

    async def all_groups(self) -> list[Origin]:
        return await self._groups("listing the groups", top=LARGEST_PAGE)

    async def resolve_roles(self, names: Sequence[str]) -> dict[str, list[Origin]]:
        roles = await self._role_rows()
        return {name: _roles_called(name, roles) for name in names}

    async def all_roles(self) -> list[Origin]:
        """Roles that somebody holds or may activate; a tenant has over a hundred definitions."""
        directory, used = self._graph.client.role_management.directory, set[str]()
        for builder in (directory.role_assignments, directory.role_eligibility_schedule_instances):
            listing = self._listing(
                builder,
                Page[RoleIdRow],
                "listing the roles in use",
                select=["id", "roleDefinitionId"],
            )
            async for rows in _unless_unlicensed(listing):
                used.update(row.role_definition_id for row in rows)
        return [row.origin() for row in await self._role_rows() if row.id in used]

    async def members(self, group: Origin) -> AsyncIterator[list[Account]]:
        """Users in a group, directly or through nested groups."""
        async for rows in self._users_in(group.id, f"reading the members of {group.name}"):
            yield [row.value(group) for row in rows]

    async def holders(self, role: Origin) -> AsyncIterator[list[Account]]:
        """Users who hold a role, then those who may activate it."""
        directory = self._graph.client.role_management.directory
        active = self._holdings(directory.role_assignments, role)
        async for accounts in self._expanded(active, role, eligible=False):
            yield accounts
        eligible = _unless_unlicensed(
            self._holdings(directory.role_eligibility_schedule_instances, role)
        )
        async for accounts in self._expanded(eligible, role, eligible=True):
            yield accounts

    def member_pages(self, group: Origin, link: str = "") -> AsyncIterator[FoundPage]:
        raise NotImplementedError

    def holder_pages(
        self, role: Origin, link: str = "", *, eligible: bool = False
    ) -> AsyncIterator[FoundPage]:
        raise NotImplementedError

    async def unit_names(self) -> dict[str, str]:
        raise NotImplementedError

    async def _groups_called(self, name: str) -> list[Origin]:
        if GUID.fullmatch(name):
            builder = self._graph.client.groups.by_group_id(name)
            info = builder.to_get_request_information(query(builder, select=["id", "displayName"]))
            row = await self._graph.get(info, GroupRow, doing=f"reading the group {name}")
            if row is not None:
                return [row.origin()]
        quoted = name.replace("'", "''")
        return await self._groups(f"finding the group {name}", filter=f"displayName eq '{quoted}'")

    async def _groups(self, doing: str, **options: Any) -> list[Origin]:
        listing = self._listing(
            self._graph.client.groups,
            Page[GroupRow],
            doing,
            select=["id", "displayName"],
            **options,
        )
        return [row.origin() async for rows in listing for row in rows]

    async def _role_rows(self) -> list[RoleRow]:
        """All definitions are one page: one request serves any number of names."""
        listing = self._listing(
            self._graph.client.role_management.directory.role_definitions,
            Page[RoleRow],
            "listing the directory roles",
            select=["id", "displayName", "templateId"],
        )
        return [row async for rows in listing for row in rows]

    def _holdings(self, builder: Any, role: Origin) -> AsyncIterator[list[HoldingRow]]:
        return self._listing(
            builder,
            Page[HoldingRow],
            f"reading who holds {role.name}",
            filter=f"roleDefinitionId eq '{role.id}'",
            expand=["principal"],
        )

    async def _expanded(
        self, holdings: AsyncIterator[list[HoldingRow]], role: Origin, *, eligible: bool
    ) -> AsyncIterator[list[Account]]:
        """Users directly, groups through their members; service principals are no accounts.

        Each principal once: the same one may hold the role in several scopes.
        """
        seen: set[str] = set()
        async for rows in holdings:
            fresh = {row.principal_id: row.holder for row in rows if row.principal_id not in seen}
            seen.update(fresh)
            async for users, chain in self._users_of(list(fresh.values())):
                origin = replace(role, eligible=eligible, chain=chain)
                yield [user.value(origin, eligible=eligible) for user in users]

    async def _users_of(
        self, holders: Sequence[HolderRow]
    ) -> AsyncIterator[tuple[Sequence[UserRow], tuple[Through, ...]]]:
        """Users with the group through which they are among the *holders*."""
        yield [holder for holder in holders if holder.type == USER and holder.whole], ()
        for holder in holders:
            # Graph does not promise to expand all properties; those of a service principal or
            # of an object that is gone are not needed.
            if holder.type in ("", USER) and not holder.whole:
                user = await self._user(holder.id)
                yield [user] if user else [], ()
        for holder in holders:
            if holder.type == GROUP:
                name = holder.display_name or holder.id
                async for users in self._users_in(holder.id, f"reading the members of {name}"):
                    yield users, (Through(id=holder.id, name=name),)

    async def _user(self, id_: str) -> UserRow | None:
        builder = self._graph.client.users.by_user_id(id_)
        info = builder.to_get_request_information(query(builder, select=USER_FIELDS))
        return await self._graph.get(info, UserRow, doing=f"reading the user {id_}")

    def _users_in(self, group: str, doing: str) -> AsyncIterator[list[UserRow]]:
        builder = self._graph.client.groups.by_group_id(group).transitive_members.graph_user

        def request() -> Any:
            configuration = query(builder, select=USER_FIELDS, top=LARGEST_PAGE, count=True)
            configuration.headers.add("ConsistencyLevel", "eventual")
            return builder.to_get_request_information(configuration)

        return pages(self._graph, request, Page[UserRow], doing=doing)

    def _listing(
        self, builder: Any, page_type: type[Page[Any]], doing: str, **options: Any
    ) -> AsyncIterator[list[Any]]:
        request: Callable[[], Any] = lambda: builder.to_get_request_information(  # noqa: E731 - as short as it gets
            query(builder, **options)
        )
        return pages(self._graph, request, page_type, doing=doing)


def _roles_called(name: str, roles: Sequence[RoleRow]) -> list[Origin]:
    by_id = [
        row for row in roles if name.lower() in (row.id.lower(), (row.template_id or "").lower())
    ]
    named = [row for row in roles if (row.display_name or "").casefold() == name.casefold()]
    return [row.origin() for row in by_id or named]


async def _unless_unlicensed(listing: AsyncIterator[list[Any]]) -> AsyncIterator[list[Any]]:
    try:
        async for rows in listing:
            yield rows
    except NeedsHuman as problem:
        if NO_LICENCE not in problem.message:
            raise
