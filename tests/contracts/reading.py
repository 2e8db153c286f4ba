"""What the tests of the readers share: sources read to their end, also by one page at a time."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from shared.errors import NeedsHuman
from shared.model.accounts import Account
from shared.model.entities import Entity, Link, Page, Unread
from shared.planning.accounts import merged

Read = Callable[[str], AsyncIterator[Page]]
"""Pages from a link on."""

RESTARTS = 5


@dataclass
class Found:
    """What the pages of a source add up to, put together as a store does."""

    accounts: dict[str, Account] = field(default_factory=dict)
    entities: dict[str, Entity] = field(default_factory=dict)
    links: dict[str, Link] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    for_good: set[str] = field(default_factory=set)
    unlinked: set[str] = field(default_factory=set)
    unread: list[Unread] = field(default_factory=list)
    vanished: list[str] = field(default_factory=list)
    cookie: str = ""
    next_link: str = ""
    pages: int = 0
    requests: int = 0
    refused: int = 0
    units: int = 0

    def take(self, page: Page) -> None:
        found = page.findings
        for id_ in found.gone:
            self.accounts.pop(id_, None)
            self.entities.pop(id_, None)
        self.gone |= set(found.gone)
        self.for_good |= set(found.for_good)
        for row in found.rows:
            self.gone.discard(row.id)
            if isinstance(row, Account):
                known = self.accounts.get(row.id)
                self.accounts[row.id] = row if known is None else merged((known, row))
            else:
                self.entities[row.id] = row
        for link in found.unlinked:
            self.links.pop(link.id, None)
            self.unlinked.add(link.id)
        for link in found.links:
            self.links[link.id] = link
            self.unlinked.discard(link.id)
        self.unread += found.unread
        self.vanished += found.vanished
        self.cookie = page.delta_link or self.cookie
        self.next_link = page.next_link
        self.pages += 1
        self.requests += page.requests
        self.refused += page.refused
        self.units += page.units

    def members(self, group: str) -> set[str]:
        """Ids of who is directly in a group."""
        return {v.target for v in self.links.values() if v.source == group and v.kind == "members"}


async def whole(read: Read, link: str = "", into: Found | None = None) -> Found:
    """All pages in one go; *into* keeps what was read before an error."""
    found = Found() if into is None else into
    async for page in read(link):
        found.take(page)
    assert found.next_link == ""
    return found


async def page_by_page(read: Read, link: str = "") -> Found:
    """Each page by a reader of its own, as when a process dies after every page."""
    found = Found()
    while True:
        pages = read(link)
        found.take(await anext(pages))
        await pages.aclose()  # type: ignore[attr-defined] # they are generators
        link = found.next_link
        if not link:
            return found


async def restarted(read: Read) -> tuple[Found, int]:
    """As the step does: from the beginning when a link is no longer good; and how often."""
    found = Found()
    for restarts in range(RESTARTS + 1):
        try:
            return await whole(read, into=found), restarts
        except NeedsHuman as problem:
            if problem.code != "PAGE_TOKEN_EXPIRED":
                raise
    raise AssertionError("it expires each time")
