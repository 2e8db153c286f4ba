"""Long lists of Graph, read to their end or not at all.

Source: Graph "Paging"; reports of Directory_ExpiredPageToken from tools that read large tenants.
"""

from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from shared.adapters.graph_client import Graph, Page
from shared.errors import NeedsHuman, TryLater

T = TypeVar("T")

EXPIRED = "Directory_ExpiredPageToken"
RESTARTS = 5


async def pages(
    graph: Graph, first: Callable[[], Any], page_type: type[Page[T]], *, doing: str
) -> AsyncIterator[list[T]]:
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
            raise _gone(doing, continued=continued)
        yield page.value
        info, continued = _next(graph, page.next_link, first), True


def _next(graph: Graph, link: str | None, first: Callable[[], Any]) -> Any:
    """The server repeats no header: an advanced query needs its own on every page."""
    if link is None:
        return None
    home = urlsplit(str(graph.client.request_adapter.base_url).lower())
    if urlsplit(link.lower())[:2] != home[:2]:  # scheme and host
        raise NeedsHuman(
            "FOREIGN_LINK",
            f"Graph sent a next link to another host, {urlsplit(link).netloc}.",
            "Check the Graph endpoint setting and what stands between it and this app.",
        )
    info = graph.client.users.with_url(link).to_get_request_information()
    info.headers.add_all(first().headers)
    return info


def _gone(doing: str, *, continued: bool) -> Exception:
    if continued:
        return TryLater("GRAPH_UNAVAILABLE", f"{doing}: the list vanished while it was read")
    return NeedsHuman(
        "SOURCE_GONE",
        f"{doing}: Graph does not have it (any more).",
        "Nothing, if it was deleted meanwhile; otherwise correct the filter.",
    )
