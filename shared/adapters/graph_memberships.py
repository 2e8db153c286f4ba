"""Who is directly in groups: all of them, many to a request.

Source: Graph v1.0 "List groups", "List group members"; a member comes with its type and what was
selected of it.
"""

from collections.abc import AsyncIterator, Sequence
from http import HTTPStatus
from typing import Any

import msgspec
from msgspec.structs import replace

from shared.adapters.graph_batch import MOST, gathered
from shared.adapters.graph_client import Page
from shared.adapters.graph_paging import Listing, Reader, ahead, together
from shared.adapters.graph_query import query
from shared.adapters.graph_refusals import needed
from shared.adapters.graph_rows import NamedRow
from shared.adapters.graph_wave import Cursor, Wave, members, parsed
from shared.errors import StepError
from shared.model.entities import Findings
from shared.model.entities import Page as FoundPage

AT_ONCE = 4
"""Batches, and long lists of members besides, that are in flight together."""
LONG = 16  # lists of members in hand before more groups are begun

PLACE = "PLACE"  # of an id in a request

named = msgspec.json.Decoder(Page[NamedRow])
Step = tuple[Findings, Cursor, StepError | None]


DOING = "reading the members of each group"


class Memberships:
    """Reads the groups of a tenant with their direct members."""

    def __init__(self, reader: Reader) -> None:
        self._reader, self._sender = reader, reader.sender

    async def pages(self, link: str) -> AsyncIterator[FoundPage]:
        """All of them, or those from where *link* stands."""
        async with ahead(self._wave(parsed(link))) as coming:
            while True:
                found, cursor, problem = await coming.result()
                spent = self._sender.tally.taken()
                if not (cursor.over or problem):
                    await coming.start(self._wave(cursor))
                yield FoundPage(
                    findings=found,
                    next_link="" if cursor.over else msgspec.json.encode(cursor).decode(),
                    **spent,
                )
                if problem:
                    raise problem
                if cursor.over:
                    return

    async def _wave(self, cursor: Cursor) -> Step:
        """Some batches of groups that were not begun, and a page of some long lists."""
        if not cursor.todo and cursor.next is not None:
            cursor = await self._listed(cursor)
        count = AT_ONCE * MOST if len(cursor.open) < LONG else 0
        begun, followed = cursor.todo[:count], cursor.open[:AT_ONCE]
        wave = Wave(DOING)
        await together(
            [
                *(self._batch(begun[at : at + MOST], wave) for at in range(0, len(begun), MOST)),
                *(self._follow(id_, link, wave) for id_, link in followed),
            ]
        )
        if begun and wave.denied == len(begun) and await self._forbidden():
            await self._reader.page(self._members(begun[0]))  # says which permission is missing
        left = replace(
            cursor,
            todo=cursor.todo[count:],
            open=(*cursor.open[AT_ONCE:], *wave.open),
            later=(*cursor.later, *wave.later),
        )
        left, problem = wave.come_back(left)
        return wave.findings(), left, problem

    async def _listed(self, cursor: Cursor) -> Cursor:
        page = await self._reader.page(self._all(), cursor.next or "")
        return replace(cursor, next=page.next_link, todo=tuple(row.id for row in page.value))

    async def _batch(self, ids: Sequence[str], wave: Wave) -> None:
        one = self._members(PLACE)
        size = self._reader.size(one)
        template = one.first(size).url
        urls = {id_: template.replace(PLACE, id_) for id_ in ids}
        for part in (await gathered(self._sender, urls, DOING)).values():
            why = part.why(DOING)
            if part.status == HTTPStatus.BAD_REQUEST and self._reader.shrunk(one, size, why):
                wave.put_off(part.id, f"GRAPH_REFUSED: {why}", 0.0)
            else:
                wave.take_part(part)

    async def _follow(self, id_: str, link: str, wave: Wave) -> None:
        try:
            page = await self._reader.page(self._members(id_), link)
        except StepError as problem:
            wave.take_problem(id_, problem)
        else:
            wave.take_page(id_, page)

    async def _forbidden(self) -> bool:
        """Whether the automation may read none at all; single ones may hide their members."""
        call = f"GET {self._members(PLACE).first(0).url}"
        held = await self._sender.graph.roles()
        return any(not held & set(group) for group in needed(call))

    def _all(self) -> Listing[Any]:
        builder = self._sender.graph.client.groups
        return Listing(
            lambda size: builder.to_get_request_information(
                query(builder, select=["id"], top=size or None)
            ),
            named,
            "listing each group",
            source="group",
        )

    def _members(self, id_: str) -> Listing[Any]:
        one = self._sender.graph.client.groups.by_group_id(id_).members
        return Listing(
            lambda size: one.to_get_request_information(
                query(one, select=["id"], top=size or None)
            ),
            members,
            DOING,
            source="group members",
        )
