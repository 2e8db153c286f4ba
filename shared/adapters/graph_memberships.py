"""Who is directly in groups: all of them, many to a request.

Source: Graph v1.0 "List groups", "List group members"; a member comes with its type and what was
selected of it.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from http import HTTPStatus
from itertools import chain
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from shared.adapters.graph_batch import MOST, gathered
from shared.adapters.graph_client import Page
from shared.adapters.graph_paging import Listing, Reader
from shared.adapters.graph_query import PLACE, query
from shared.adapters.graph_refusals import needed
from shared.adapters.graph_rows import NamedRow
from shared.adapters.graph_wave import Cursor, Wave, members, parsed
from shared.errors import StepError
from shared.model.entities import Page as FoundPage

AT_ONCE = 12
"""Requests in flight. A batch costs forty units and takes Graph more than half a second, so fewer
would leave quota unused; more would hold too many members, were all these groups long."""

named = msgspec.json.Decoder(Page[NamedRow])

DOING = "reading the members of each group"


class Job(NamedTuple):
    """A request in flight: some groups' first members, more of one, or the next groups."""

    todo: tuple[str, ...] = ()
    open: tuple[tuple[str, str], ...] = ()
    next: str | None = None


Answer = Wave | Page[NamedRow]


class Memberships:
    """Reads the groups of a tenant with their direct members."""

    def __init__(self, reader: Reader) -> None:
        self._reader, self._sender = reader, reader.sender
        self._going: dict[asyncio.Task[Answer], Job] = {}

    async def pages(self, link: str) -> AsyncIterator[FoundPage]:
        """All of them, or those from where *link* stands."""
        left = parsed(link)  # but for what is in flight
        try:
            while True:
                left, wave = self._fill(left), Wave(DOING)
                left, problem = await self._answers(left, wave)
                if not problem and not self._going and left.asked and left.later:
                    left, problem = wave.come_back(left)
                place = self._place(left)
                yield FoundPage(
                    findings=wave.findings(),
                    next_link="" if place.over else msgspec.json.encode(place).decode(),
                    **self._sender.tally.taken(),
                )
                if problem:
                    raise problem
                if place.over:
                    return
        finally:
            await self._drop()

    def _fill(self, left: Cursor) -> Cursor:
        """Send as much as may be in flight; long lists first, so that few are in hand."""
        while len(self._going) < AT_ONCE:
            if left.open:
                job = Job(open=left.open[:1])
                left = replace(left, open=left.open[1:])
            elif left.todo:
                job = Job(todo=left.todo[:MOST])
                left = replace(left, todo=left.todo[MOST:])
            elif left.next is not None and all(job.next is None for job in self._going.values()):
                job = Job(next=left.next)
            else:
                break
            self._going[asyncio.create_task(self._ask(job))] = job
        return left

    def _place(self, left: Cursor) -> Cursor:
        """From where another process would have to go on: what is in flight is asked for anew."""
        jobs = self._going.values()
        return replace(
            left,
            todo=(*chain.from_iterable(job.todo for job in jobs), *left.todo),
            open=(*chain.from_iterable(job.open for job in jobs), *left.open),
        )

    async def _answers(self, left: Cursor, wave: Wave) -> tuple[Cursor, StepError | None]:
        """Wait for one, and take what has come by then; what failed is left to be done."""
        problem: StepError | None = None
        if self._going:
            await asyncio.wait(self._going, return_when=asyncio.FIRST_COMPLETED)
        for task in [task for task in self._going if task.done()]:
            job = self._going.pop(task)
            try:
                answer = task.result()
            except StepError as error:
                problem = error
                todo, open_ = (*job.todo, *left.todo), (*job.open, *left.open)
                left = replace(left, todo=todo, open=open_)
                continue
            if isinstance(answer, Wave):
                wave.join(answer)
                later = (*left.later, *answer.later)
                left = replace(left, open=(*left.open, *answer.open), later=later)
            else:
                todo = (*left.todo, *(row.id for row in answer.value))
                left = replace(left, next=answer.next_link, todo=todo)
        return left, problem

    async def _drop(self) -> None:
        """Nothing is left running when the reading stops, for whatever reason."""
        for task in self._going:
            task.cancel()
        await asyncio.gather(*self._going, return_exceptions=True)
        self._going.clear()

    async def _ask(self, job: Job) -> Answer:
        if job.next is not None:
            groups: Page[NamedRow] = await self._reader.page(self._all(), job.next)
            return groups
        wave = Wave(DOING)
        if job.todo:
            await self._batch(job.todo, wave)
        for id_, link in job.open:
            await self._follow(id_, link, wave)
        return wave

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
        if wave.denied == len(ids) and await self._forbidden():
            await self._reader.page(self._members(ids[0]))  # says which permission is missing

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
