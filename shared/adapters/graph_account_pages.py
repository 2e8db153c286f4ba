"""Long lists of Graph, read to their end or not at all.

Source: Graph "Paging"; reports of Directory_ExpiredPageToken from tools that read large tenants.
"""

from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from shared.adapters.graph_client import Graph, Page
from shared.errors import NeedsHuman, TryLater

T = TypeVar("T")
P = TypeVar("P", bound=Page[Any])

EXPIRED = "Directory_ExpiredPageToken"
RESTARTS = 5


async def pages(
    graph: Graph, first: Callable[[], Any], page_type: type[Page[T]], *, doing: str
) -> AsyncIterator[list[T]]:
    """Yield the rows of page after page."""
    async for page in whole_pages(graph, first, page_type, doing=doing):
        yield page.value


async def whole_pages(
    graph: Graph, first: Callable[[], Any], page_type: type[P], *, doing: str
) -> AsyncIterator[P]:
    """Yield page after page; rows come again when a page token expired on the way.

    Only a missing next link ends a list: a page may be short or empty. A list that is not
    there raises `NeedsHuman`, because "nobody" and "no such group" must not look alike.
    """
    info, restarts, continued = first(), 0, False
    while info is not None:
        try:
            page = await graph.get(info, page_type, doing=doing)
        except NeedsHuman as problem:
            if EXPIRED not in problem.message:
                raise
            restarts += 1
            if restarts > RESTARTS:
                raise TryLater("PAGE_TOKEN_EXPIRED", problem.message) from problem
            info, continued = first(), False
            continue
        if page is None:
            raise gone(doing, continued=continued)
        yield page
        info, continued = following(graph, page.next_link, first), True


def following(graph: Graph, link: str | None, first: Callable[[], Any]) -> Any:
    """The server repeats no header: an advanced query needs its own on every page."""
    if link is None:
        return None
    info = linked(graph, link)
    info.headers.add_all(first().headers)
    return info


def linked(graph: Graph, link: str) -> Any:
    """A request of a link that Graph sent, now or long ago: followed only to Graph's host."""
    home = urlsplit(str(graph.client.request_adapter.base_url).lower())
    if urlsplit(link.lower())[:2] != home[:2]:  # scheme and host
        raise NeedsHuman(
            "FOREIGN_LINK",
            f"Graph sent a next link to another host, {urlsplit(link).netloc}.",
            "Check the Graph endpoint setting and what stands between it and this app.",
        )
    return graph.client.users.with_url(link).to_get_request_information()


def gone(doing: str, *, continued: bool) -> Exception:
    if continued:
        return TryLater("GRAPH_UNAVAILABLE", f"{doing}: the list vanished while it was read")
    return NeedsHuman(
        "SOURCE_GONE",
        f"{doing}: Graph does not have it (any more).",
        "Nothing, if it was deleted meanwhile; otherwise correct the filter.",
    )
