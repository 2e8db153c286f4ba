"""What an import into a product reads of the tenant.

Source: Graph v1.0 "List users", "List group members", "List userRegistrationDetails", "List
conditionalAccessPolicies", "directoryObject: getByIds"; Entra "Advanced query capabilities".
"""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from typing import Any

from shared.adapters.graph_account_pages import pages
from shared.adapters.graph_account_rows import USER_FIELDS, GroupRow
from shared.adapters.graph_client import Graph, Page
from shared.adapters.graph_import_rows import CountedPage, FoundPage, PolicyRow, RegistrationRow
from shared.adapters.graph_query import query
from shared.adapters.graph_rows import IdRow, OrganizationRow
from shared.model.accounts import Account, Origin
from shared.model.imports import AccessPolicy, GroupLine
from shared.model.listed import UserRow

LARGEST_PAGE = 999
MOST_IDS = 1000  # of one getByIds
READERS = 6

GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
EVERYONE = Origin(kind="tenant", id="", name="everyone")
NAMED = Origin(kind="user", id="", name="named")


class GraphImports:
    """Implements ``ports.DirectoryReader``."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    async def users_called(self, name: str) -> list[Account]:
        users = self._graph.client.users
        if GUID.fullmatch(name):
            builder = users.by_user_id(name)
            info = builder.to_get_request_information(query(builder, select=USER_FIELDS))
            row = await self._graph.get(info, UserRow, doing=f"reading the user {name}")
            if row is not None:
                return [row.value((NAMED,))]
        quoted = name.replace("'", "''")
        fields = ("userPrincipalName", "mail", "displayName")
        which = " or ".join(f"{field} eq '{quoted}'" for field in fields)
        found = self._users(users, f"finding the user {name}", filter=which)
        return [row.value((NAMED,)) async for page in found for row in page]

    async def groups_called(self, name: str) -> list[Origin]:
        if GUID.fullmatch(name):
            builder = self._graph.client.groups.by_group_id(name)
            info = builder.to_get_request_information(query(builder, select=["id", "displayName"]))
            row = await self._graph.get(info, GroupRow, doing=f"reading the group {name}")
            if row is not None:
                return [row.origin()]
        quoted = name.replace("'", "''")
        return await self._groups(
            self._graph.client.groups,
            f"finding the group {name}",
            filter=f"displayName eq '{quoted}'",
        )

    async def users_in(self, group: Origin) -> AsyncIterator[list[Account]]:
        builder = self._graph.client.groups.by_group_id(group.id).members.graph_user
        async for page in self._users(builder, f"reading the members of {group.name}"):
            yield [row.value((group,)) for row in page]

    async def groups_in(self, group: Origin) -> list[Origin]:
        builder = self._graph.client.groups.by_group_id(group.id).members.graph_group
        return await self._groups(builder, f"reading the groups in {group.name}")

    async def everyone(self) -> AsyncIterator[list[Account]]:
        async for page in self._users(self._graph.client.users, "listing the users"):
            yield [row.value((EVERYONE,)) for row in page]

    async def existing(self, ids: Sequence[str]) -> frozenset[str]:
        from msgraph.generated.directory_objects.get_by_ids.get_by_ids_post_request_body import (
            GetByIdsPostRequestBody,
        )

        there: set[str] = set()
        for start in range(0, len(ids), MOST_IDS):
            body = GetByIdsPostRequestBody(ids=list(ids[start : start + MOST_IDS]), types=["user"])
            builder = self._graph.client.directory_objects.get_by_ids
            info = builder.to_post_request_information(body)
            page = await self._graph.post(info, FoundPage, doing="looking for known users")
            there.update(row.id for row in (page.value if page else ()))
        return frozenset(there)

    async def mfa_registered(self) -> frozenset[str]:
        builder = self._graph.client.reports.authentication_methods.user_registration_details
        listing = self._listing(
            builder,
            Page[RegistrationRow],
            "reading who registered MFA",
            filter="isMfaRegistered eq true",
        )
        return frozenset([row.id async for rows in listing for row in rows])

    async def verified_domains(self) -> tuple[str, ...]:
        builder = self._graph.client.organization
        info = builder.to_get_request_information(query(builder, select=["id", "verifiedDomains"]))
        rows = await self._graph.everything(info, OrganizationRow, doing="reading the domains")
        return tuple(domain.name for row in rows for domain in row.verified_domains)

    async def policies(self) -> list[AccessPolicy]:
        builder = self._graph.client.identity.conditional_access.policies
        listing = self._listing(builder, Page[PolicyRow], "reading the Conditional Access policies")
        return [row.value() async for rows in listing for row in rows]

    async def group_lines(
        self, prefix: str, after: str, limit: int
    ) -> tuple[list[GroupLine], bool]:
        quoted = prefix.replace("'", "''")
        which = {"filter": f"startswith(displayName,'{quoted}')"} if prefix else {}
        listed = await self._groups(self._graph.client.groups, "listing the groups", **which)
        listed.sort(key=lambda group: (group.name.casefold(), group.id))
        reached = next((n + 1 for n, group in enumerate(listed) if group.id == after), 0)
        page = listed[reached : reached + limit]
        lines: list[GroupLine] = []
        for start in range(0, len(page), READERS):
            part = page[start : start + READERS]
            lines += await asyncio.gather(*(self._line(group) for group in part))
        return lines, len(listed) > reached + limit

    async def _line(self, group: Origin) -> GroupLine:
        builder = self._graph.client.groups.by_group_id(group.id)
        children = await self.groups_in(group)
        above = self._listing(
            builder.member_of.graph_group,
            Page[IdRow],
            f"reading the groups that {group.name} is in",
            advanced=True,
            select=["id"],
        )
        return GroupLine(
            id=group.id,
            name=group.name,
            members=await self._size(builder.members.graph_user, group),
            parents=tuple(sorted([row.id async for rows in above for row in rows])),
            children=tuple(sorted(child.id for child in children)),
        )

    async def _size(self, builder: Any, group: Origin) -> int:
        configuration = query(builder, select=["id"], top=1, count=True)
        configuration.headers.add("ConsistencyLevel", "eventual")
        info = builder.to_get_request_information(configuration)
        page = await self._graph.get(info, CountedPage, doing=f"counting {group.name}")
        return page.count if page else 0

    def _users(self, builder: Any, doing: str, **options: Any) -> AsyncIterator[list[UserRow]]:
        return self._listing(
            builder, Page[UserRow], doing, advanced=True, select=USER_FIELDS,
            top=LARGEST_PAGE, **options,
        )  # fmt: skip

    async def _groups(self, builder: Any, doing: str, **options: Any) -> list[Origin]:
        listing = self._listing(
            builder, Page[GroupRow], doing, advanced=True, select=["id", "displayName"],
            top=LARGEST_PAGE, **options,
        )  # fmt: skip
        return [row.origin() async for rows in listing for row in rows]

    def _listing(
        self,
        builder: Any,
        page_type: type[Page[Any]],
        doing: str,
        *,
        advanced: bool = False,
        **options: Any,
    ) -> AsyncIterator[list[Any]]:
        """Advanced queries count: cast segments and filters of several properties need it."""

        def request() -> Any:
            if not advanced:
                return builder.to_get_request_information(query(builder, **options))
            configuration = query(builder, count=True, **options)
            configuration.headers.add("ConsistencyLevel", "eventual")
            return builder.to_get_request_information(configuration)

        return pages(self._graph, request, page_type, doing=doing)
