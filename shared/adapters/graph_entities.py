"""Whole kinds of directory objects, what has changed of them, and who holds what.

Source: Graph v1.0 "List users", "user: delta", "group: delta" (members, owners), "directoryRole:
delta" (members), "servicePrincipal: delta"; "Use delta query to track changes",
`$deltatoken=latest`.
"""

from collections.abc import AsyncIterator
from typing import Any

from shared.adapters.graph_account_rows import USER_FIELDS
from shared.adapters.graph_client import Graph
from shared.adapters.graph_memberships import Memberships
from shared.adapters.graph_paging import LARGEST_PAGE, Listing, Reader
from shared.adapters.graph_query import query
from shared.adapters.graph_registrations import registrations
from shared.adapters.graph_role_facts import RoleFacts
from shared.adapters.graph_selection import Selection, UserPage, selection
from shared.adapters.graph_sending import Sender
from shared.errors import TryLater
from shared.model.entities import (
    ELIGIBLE_ROLES,
    HELD_ROLES,
    MEMBERSHIP,
    REGISTRATION,
    USER,
    Findings,
    Page,
    Reading,
)

SLOW_FIELD, SLOW_PAGE = "signInActivity", 500
"""Users are not listed with it in pages of more (Graph: "List users")."""


class GraphEntities:
    """Implements ``ports.EntityReader``."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    def pages(self, wanted: Reading, link: str = "") -> AsyncIterator[Page]:
        reader = Reader(Sender(self._graph))
        match wanted.kind:
            case kind if kind == MEMBERSHIP:
                return Memberships(reader).pages(link)
            case kind if kind in (HELD_ROLES, ELIGIBLE_ROLES):
                return RoleFacts(reader, eligible=kind == ELIGIBLE_ROLES).read(link)
            case kind if kind == REGISTRATION:
                return registrations(reader, link)
            case kind if kind == USER and not _is_delta(link):
                return _Users(reader, wanted).pages(link)
        return _Changes(reader, wanted).pages(link)


class _Users:
    """All users: a list has pages five times as long as a delta query has.

    The link to go on from is asked for first: what changes while the list is read comes again
    with the next run, and is not missed.
    """

    def __init__(self, reader: Reader, wanted: Reading) -> None:
        self._reader, self._wanted = reader, wanted
        self._selection: Selection = selection(wanted)
        self._select = _selected(wanted)
        self._client = reader.sender.graph.client

    async def pages(self, link: str) -> AsyncIterator[Page]:
        cookie = "" if link or not self._wanted.tracked else await self._latest()
        async for page in self._reader.pages(self._listing(), link):
            yield Page(
                findings=Findings(rows=page.found),
                next_link=page.next_link or "",
                delta_link=cookie,
                **self._reader.sender.tally.taken(),
            )

    def _listing(self) -> Listing[UserPage]:
        builder = self._client.users
        slow = SLOW_FIELD in self._select
        return Listing(
            lambda size: builder.to_get_request_information(
                query(builder, select=self._select, top=size or None)
            ),
            self._selection,
            "reading user",
            source=f"user {SLOW_FIELD}" if slow else USER,
            largest=SLOW_PAGE if slow else LARGEST_PAGE,
        )

    async def _latest(self) -> str:
        builder, doing = self._client.users.delta, "asking for the changes of user from now on"
        info = builder.to_get_request_information(query(builder, select=self._select))
        # The builder knows no tokens; its template goes on with the other options.
        info.url_template = info.url_template.replace("{?", "?%24deltatoken=latest{&", 1)
        listing = Listing(lambda _: info, self._selection.decoder, doing, source="", largest=0)
        async for page in self._reader.pages(listing):
            if page.delta_link:
                return str(page.delta_link)
        raise _endless(doing)


class _Changes:
    """A delta query: everything without a link, else what is new since that link was given."""

    def __init__(self, reader: Reader, wanted: Reading) -> None:
        self._reader, self._wanted = reader, wanted
        self._selection: Selection = selection(wanted)

    async def pages(self, link: str) -> AsyncIterator[Page]:
        listing = self._listing(changes=bool(link))
        async for page in self._reader.pages(listing, link):
            if not (page.next_link or page.delta_link):
                raise _endless(listing.doing)
            yield Page(
                findings=self._selection.changed(page.value),
                next_link=page.next_link or "",
                delta_link=(page.delta_link or "") if self._wanted.tracked else "",
                **self._reader.sender.tally.taken(),
            )

    def _listing(self, *, changes: bool) -> Listing[Any]:
        client, wanted = self._reader.sender.graph.client, self._wanted
        builder = {
            "user": client.users,
            "group": client.groups,
            "directoryRole": client.directory_roles,
            "servicePrincipal": client.service_principals,
        }[wanted.kind].delta
        return Listing(
            lambda _: builder.to_get_request_information(query(builder, select=_selected(wanted))),
            self._selection.decoder,
            f"reading what has changed of {wanted.kind}" if changes else f"reading {wanted.kind}",
            source="",
            largest=0,  # delta queries have no $top
        )


def _selected(wanted: Reading) -> list[str]:
    fields = USER_FIELDS if wanted.kind == USER else ["id", "displayName"]
    return list(dict.fromkeys((*fields, *wanted.attributes, *wanted.navigation)))


def _is_delta(link: str) -> bool:
    """Whether a link goes on with a delta query, and not with a list."""
    path = link.partition("?")[0].lower().rstrip("/")
    return path.removesuffix("()").endswith("/delta")


def _endless(doing: str) -> TryLater:
    return TryLater("GRAPH_UNREADABLE", f"{doing}: the last page has no delta link")
