"""Who holds or may activate any directory role, as facts of accounts that others vouch for.

Source: Graph v1.0 "List unifiedRoleAssignments" and "List roleEligibilityScheduleInstances", whole,
each with its principal; "List unifiedRoleDefinitions" for the names.
"""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
from msgspec.structs import replace

from shared.adapters.graph_account_rows import USER, HolderRow, RoleRow
from shared.adapters.graph_client import Page
from shared.adapters.graph_holders import Holders, held
from shared.adapters.graph_nested import Walk
from shared.adapters.graph_paging import Listing, Reader
from shared.adapters.graph_query import query
from shared.model.accounts import Account, Origin
from shared.model.entities import Findings
from shared.model.entities import Page as FoundPage
from shared.planning.accounts import fact

ANY = Origin(kind="role", id="", name="directory roles")

_roles = msgspec.json.Decoder(Page[RoleRow])


class RoleFacts(Holders):
    """The same walk as that of one role, begun with everybody who has any."""

    def __init__(self, reader: Reader, *, eligible: bool) -> None:
        super().__init__(reader, ANY, eligible=eligible)
        self._names: dict[str, str] | None = None

    async def read(self, link: str) -> AsyncIterator[FoundPage]:
        async for page in self.pages(Walk.parsed(link) if link else Walk(holders="")):
            yield page

    async def step(self, walk: Walk) -> tuple[Findings, Walk]:
        found, left = await super().step(walk)
        rows = [row for row in found.rows if isinstance(row, Account)]
        return replace(found, rows=tuple(fact(row.id, origins=row.origins) for row in rows)), left

    async def _role_names(self) -> dict[str, str]:
        if self._names is None:
            builder = self._client.role_management.directory.role_definitions
            listing: Listing[Any] = Listing(
                lambda _: builder.to_get_request_information(
                    query(builder, select=["id", "displayName", "templateId"])
                ),
                _roles,
                "listing the roles",
                source="",
                largest=0,
            )
            pages = [page.value async for page in self._reader.pages(listing)]
            self._names = {row.id: row.display_name or row.id for rows in pages for row in rows}
        return self._names

    async def _whole(self, holder: HolderRow) -> HolderRow:
        """A fact needs no more than the id; of a holder whose type is not told, too."""
        return holder if holder.type else replace(holder, type=USER)

    def _holdings(self) -> Listing[Any]:
        builder = self._builder()
        what = "may activate" if self._eligible else "holds"
        return Listing(
            lambda _: builder.to_get_request_information(query(builder, expand=["principal"])),
            held,
            f"reading who {what} any role",
            source="",
            largest=0,
        )
