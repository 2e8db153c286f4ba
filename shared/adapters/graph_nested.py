"""Users in groups within groups, level by level, each with the shortest way to them.

Source: Graph v1.0 "List group members"; "List group transitive members" would tell them all at
once, but not through which groups.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from msgspec.structs import replace

from shared.adapters.graph_account_pages import linked
from shared.adapters.graph_account_rows import GROUP, USER, USER_FIELDS, HolderRow
from shared.adapters.graph_client import Page
from shared.adapters.graph_paging import Listing, Reader, ahead
from shared.adapters.graph_query import PLACE, query
from shared.adapters.side_by_side import side_by_side
from shared.errors import NeedsHuman
from shared.model.accounts import SERVICE_PRINCIPAL, Account, Origin, Through
from shared.model.entities import Findings, Unread
from shared.model.entities import Page as FoundPage
from shared.model.listed import accounts

PRINCIPAL = "#microsoft.graph.servicePrincipal"
AT_ONCE = 4  # groups of a level that are read together

MEMBERS = "group members"

members = msgspec.json.Decoder(Page[HolderRow])


class Visit(msgspec.Struct, frozen=True, omit_defaults=True):
    """A group to read: the reason that its members have, and from where to go on."""

    id: str
    origin: Origin  # its chain ends with this group, unless this is the group searched
    root: str  # which search it belongs to: a group is visited once in each
    link: str = ""

    def child(self, row: HolderRow) -> "Visit":
        step = Through(id=row.id, name=row.display_name or row.id)
        origin = replace(self.origin, chain=(*self.origin.chain, step))
        return Visit(id=row.id, origin=origin, root=self.root)

    @property
    def key(self) -> str:
        return f"{self.root} {self.id}"

    @property
    def way(self) -> tuple[str, ...]:
        return (self.root, *(step.id for step in self.origin.chain))

    @property
    def doing(self) -> str:
        chain = self.origin.chain
        return f"reading the members of {chain[-1].name if chain else self.origin.name}"


class Walk(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far a search is; everything that is needed to go on with it elsewhere."""

    level: tuple[Visit, ...] = ()  # groups that are as far from what was searched
    below: tuple[Visit, ...] = ()  # those found in them so far
    seen: tuple[str, ...] = ()
    holders: str | None = None  # of a role: the page of its holders to read next
    root: str = ""  # the group searched, if it was one

    @property
    def over(self) -> bool:
        return not (self.level or self.below) and self.holders is None

    def link(self) -> str:
        return "" if self.over else msgspec.json.encode(self).decode()

    @classmethod
    def parsed(cls, link: str) -> "Walk":
        """Raises `NeedsHuman` with code PAGE_TOKEN_EXPIRED for what an older version wrote."""
        try:
            return msgspec.json.decode(link, type=cls)
        except msgspec.DecodeError as error:
            raise NeedsHuman(
                "PAGE_TOKEN_EXPIRED",
                f"The place where the reading stopped cannot be read: {error}",
                "Nothing: the source is read again.",
            ) from error


@dataclass
class Found:
    """What the pages of some groups of a level said."""

    rows: list[Account] = field(default_factory=list)
    begun: list[Visit] = field(default_factory=list)  # more of the same groups
    inner: list[Visit] = field(default_factory=list)  # groups in them
    unread: list[Unread] = field(default_factory=list)
    vanished: list[str] = field(default_factory=list)

    def take(self, visit: Visit, page: Page[HolderRow]) -> None:
        origins = (visit.origin,)
        self.rows += people(page.value, origins)
        self.inner += [visit.child(row) for row in page.value if row.type == GROUP]
        if page.next_link:
            self.begun.append(replace(visit, link=page.next_link))


def people(rows: Sequence[HolderRow], origins: tuple[Origin, ...]) -> list[Account]:
    """Users and service principals among *rows*; the latter say so in their kind."""
    eligible = origins[0].eligible
    users = accounts((row for row in rows if row.type == USER), origins, eligible=eligible)
    others = accounts((row for row in rows if row.type == PRINCIPAL), origins, eligible=eligible)
    return [*users, *(replace(row, kind=SERVICE_PRINCIPAL) for row in others)]


class Nested:
    """Walks down from groups to everybody in them."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._graph = reader.sender.graph
        self._client = self._graph.client

    async def pages(self, walk: Walk) -> AsyncIterator[FoundPage]:
        async with ahead(self.step(walk)) as coming:
            while True:
                found, left = await coming.result()
                if not left.over:
                    await coming.start(self.step(left))
                yield FoundPage(
                    findings=found,
                    next_link=left.link(),
                    **self._reader.sender.tally.taken(),
                )
                if left.over:
                    return

    async def step(self, walk: Walk) -> tuple[Findings, Walk]:
        """A page of some groups; deeper ones only when the whole level is read."""
        found = Found()
        await side_by_side(self._visit(visit, found, walk.root) for visit in walk.level[:AT_ONCE])
        left = replace(
            walk,
            level=(*found.begun, *walk.level[AT_ONCE:]),
            below=(*walk.below, *found.inner),
        )
        findings = Findings(
            rows=tuple(found.rows), unread=tuple(found.unread), vanished=tuple(found.vanished)
        )
        return findings, left if left.level else deeper(left)

    async def _visit(self, visit: Visit, found: Found, root: str) -> None:
        try:
            page = await self._reader.page(self._listing(visit), visit.link)
        except NeedsHuman as problem:
            if visit.id == root or problem.code == "PAGE_TOKEN_EXPIRED":
                raise
            if problem.code == "SOURCE_GONE":
                found.vanished.append(visit.id)
                return
            reason = f"{problem.code}: {problem.message}"
            found.unread.append(Unread(id=visit.id, reason=reason))
        else:
            found.take(visit, page)

    def _listing(self, visit: Visit) -> Listing[Any]:
        return Listing(
            lambda size: linked(self._graph, self._address(size).replace(PLACE, visit.id)),
            members,
            visit.doing,
            source=MEMBERS,
        )

    def _address(self, size: int) -> str:
        """Made by the SDK's builder once: there may be thousands of groups."""
        known = self._graph.addresses.get((MEMBERS, size))
        if known is None:
            builder = self._client.groups.by_group_id(PLACE).members
            info = builder.to_get_request_information(
                query(builder, select=USER_FIELDS, top=size or None)
            )
            info.path_parameters["baseurl"] = self._graph.base
            known = self._graph.addresses[MEMBERS, size] = info.url
        return known


def deeper(walk: Walk) -> Walk:
    """The next level: groups not seen yet, each by the first of the ways to it.

    Groups that contain each other end in no loop, as none is visited twice.
    """
    seen, level = set(walk.seen), {}
    for visit in sorted(walk.below, key=lambda visit: visit.way):
        if visit.key not in seen:
            seen.add(visit.key)
            level[visit.key] = visit
    return replace(walk, level=tuple(level.values()), below=(), seen=tuple(sorted(seen)))
