"""Who holds one role or may activate it, directly or through groups.

Source: Graph v1.0 "List unifiedRoleAssignments" and "List roleEligibilityScheduleInstances",
filtered by roleDefinitionId, each with its principal; scopes as in "unifiedRoleAssignment".
"""

from typing import Any

import msgspec
from msgspec.structs import replace

from shared.adapters.graph_account_rows import GROUP, USER, USER_FIELDS, HolderRow, HoldingRow
from shared.adapters.graph_client import Page
from shared.adapters.graph_nested import Nested, Visit, Walk, people
from shared.adapters.graph_paging import Listing, Reader
from shared.adapters.graph_query import query
from shared.adapters.graph_rows import NamedRow
from shared.errors import NeedsHuman
from shared.model.accounts import Account, Origin, Through
from shared.model.entities import Findings
from shared.planning.reasons import UNITS, Names, origin_of

held = msgspec.json.Decoder(Page[HoldingRow])


class Holders(Nested):
    """First everybody who has the role directly, then whoever is in a group that has it."""

    def __init__(self, reader: Reader, role: Origin, *, eligible: bool) -> None:
        super().__init__(reader)
        self._role, self._eligible = role, eligible
        self._units: dict[str, str] = {}

    async def step(self, walk: Walk) -> tuple[Findings, Walk]:
        if walk.holders is None:
            return await super().step(walk)
        page = await self._reader.page(self._holdings(), walk.holders)
        rows: list[Account] = []
        visits: list[Visit] = []
        for row in page.value:
            origin = await self._origin(row)
            holder = await self._whole(row.holder)
            rows += people([holder], (origin,))
            if holder.type == GROUP:
                step = Through(id=holder.id, name=holder.display_name or holder.id)
                # The same group may hold the role in several scopes.
                root = f"{origin.id} {holder.id}{origin.scope}"
                visits.append(Visit(holder.id, replace(origin, chain=(step,)), root))
        left = replace(
            walk,
            level=(*walk.level, *visits),
            seen=(*walk.seen, *(visit.key for visit in visits)),
            holders=page.next_link,
        )
        return Findings(rows=tuple(rows)), left

    async def _origin(self, row: HoldingRow) -> Origin:
        holding = row.value(eligible=self._eligible)
        unit = holding.scope.removeprefix(UNITS) if holding.scope.startswith(UNITS) else ""
        if unit and unit not in self._units:
            self._units[unit] = await self._unit_name(unit)
        names = Names(roles=await self._role_names(), units=self._units)
        return origin_of(holding, names)

    async def _role_names(self) -> dict[str, str]:
        return {self._role.id: self._role.name}

    async def _unit_name(self, id_: str) -> str:
        """Or the id, where the name may not be read: a name is no reason to fail."""
        builder = self._client.directory.administrative_units.by_administrative_unit_id(id_)
        info = builder.to_get_request_information(query(builder, select=["id", "displayName"]))
        try:
            row = await self._reader.one(info, NamedRow, f"reading the administrative unit {id_}")
        except NeedsHuman:
            return id_
        return (row.display_name if row else None) or id_

    async def _whole(self, holder: HolderRow) -> HolderRow:
        """Graph does not promise to expand all properties of a user, nor the type."""
        if holder.whole or holder.type not in ("", USER):
            return holder
        builder = self._client.users.by_user_id(holder.id)
        info = builder.to_get_request_information(query(builder, select=USER_FIELDS))
        row = await self._reader.one(info, HolderRow, f"reading the user {holder.id}")
        return replace(row, type=USER) if row else holder

    def _builder(self) -> Any:
        directory = self._client.role_management.directory
        if self._eligible:
            return directory.role_eligibility_schedule_instances
        return directory.role_assignments

    def _holdings(self) -> Listing[Any]:
        builder = self._builder()
        what = "may activate" if self._eligible else "holds"
        return Listing(
            lambda _: builder.to_get_request_information(
                query(
                    builder,
                    filter=f"roleDefinitionId eq '{self._role.id}'",
                    expand=["principal"],
                )
            ),
            held,
            f"reading who {what} {self._role.name}",
            source="",
            largest=0,  # neither list has $top
        )
