"""Whole kinds of directory objects, and what has changed of them since the last time.

Source: Graph v1.0 "user: delta", "group: delta" (members, owners), "directoryRole: delta"
(members), "servicePrincipal: delta"; "Use delta query to track changes", `$deltatoken=latest`.
"""

from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
from msgspec.structs import replace

from shared.adapters.graph_account_pages import linked, pages, whole_pages
from shared.adapters.graph_account_rows import USER_FIELDS, UserRow
from shared.adapters.graph_client import Graph, Page
from shared.adapters.graph_query import query
from shared.errors import TryLater
from shared.model.accounts import Account, Origin
from shared.model.entities import USER, Entity, Findings, Link, Reading
from shared.model.entities import Page as FoundPage

LARGEST_PAGE = 999

EVERYBODY = Origin(kind="tenant", id="users", name="All users")

Object = dict[str, Any]


class DeltaPage(Page[Object]):
    """A page of a delta query; the last one has the link to go on from."""

    delta_link: str | None = msgspec.field(default=None, name="@odata.deltaLink")


class GraphEntities:
    """Implements ``ports.EntityReader``."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    async def read(self, wanted: Reading, cookie: str) -> AsyncIterator[Findings]:
        doing = f"reading what has changed of {wanted.kind}" if cookie else f"reading {wanted.kind}"
        if cookie:
            found = self._delta(lambda: linked(self._graph, cookie), wanted, doing)
        elif wanted.kind == USER:
            found = self._all_users(wanted, doing)
        else:
            builder = self._collection(wanted.kind).delta
            select = ["id", "displayName", *wanted.attributes, *wanted.navigation]
            found = self._delta(
                lambda: builder.to_get_request_information(query(builder, select=select)),
                wanted,
                doing,
            )
        async for page in found:
            yield page

    def pages(self, wanted: Reading, link: str = "") -> AsyncIterator[FoundPage]:
        raise NotImplementedError

    async def _all_users(self, wanted: Reading, doing: str) -> AsyncIterator[Findings]:
        """A list has pages five times as long as a delta query has.

        The link to go on from is asked for first: what changes while the list is read comes
        again with the next run, and is not missed.
        """
        select = [*USER_FIELDS, *(name for name in wanted.attributes if name not in USER_FIELDS)]
        cookie = await self._latest(select, doing) if wanted.tracked else ""
        builder = self._graph.client.users

        def request() -> Any:
            return builder.to_get_request_information(
                query(builder, select=select, top=LARGEST_PAGE)
            )

        async for rows in pages(self._graph, request, Page[Object], doing=doing):
            yield Findings(rows=tuple(_account(row, wanted) for row in rows))
        yield Findings(cookie=cookie)

    async def _latest(self, select: list[str], doing: str) -> str:
        builder = self._graph.client.users.delta
        info = builder.to_get_request_information(query(builder, select=select))
        # The builder knows no tokens; its template goes on with the other options.
        info.url_template = info.url_template.replace("{?", "?%24deltatoken=latest{&", 1)
        async for page in whole_pages(self._graph, lambda: info, DeltaPage, doing=doing):
            if page.delta_link:
                return page.delta_link
        raise _endless(doing)

    async def _delta(
        self, first: Callable[[], Any], wanted: Reading, doing: str
    ) -> AsyncIterator[Findings]:
        cookie = ""
        async for page in whole_pages(self._graph, first, DeltaPage, doing=doing):
            yield _findings(page.value, wanted)
            cookie = page.delta_link or ""
        if not cookie:
            raise _endless(doing)
        yield Findings(cookie=cookie if wanted.tracked else "")

    def _collection(self, kind: str) -> Any:
        client = self._graph.client
        return {
            "group": client.groups,
            "directoryRole": client.directory_roles,
            "servicePrincipal": client.service_principals,
        }[kind]


def _endless(doing: str) -> TryLater:
    return TryLater("GRAPH_UNREADABLE", f"{doing}: the last page has no delta link")


def _findings(objects: list[Object], wanted: Reading) -> Findings:
    """Of an item that a page has twice, the later one counts."""
    make = _account if wanted.kind == USER else _entity
    rows: dict[str, Account | Entity | None] = {}
    links: dict[str, tuple[Link, bool]] = {}
    for row in objects:
        rows[row["id"]] = None if "@removed" in row else make(row, wanted)
        for navigation in wanted.navigation:
            for target in row.get(f"{navigation}@delta", ()):
                link = _link(navigation, row["id"], target, wanted)
                links[link.id] = (link, "@removed" in target)
    return Findings(
        rows=tuple(row for row in rows.values() if row is not None),
        gone=tuple(id_ for id_, row in rows.items() if row is None),
        links=tuple(link for link, removed in links.values() if not removed),
        unlinked=tuple(link for link, removed in links.values() if removed),
    )


def _link(navigation: str, source: str, target: Object, wanted: Reading) -> Link:
    kind = str(target.get("@odata.type") or "")
    return Link(
        kind=navigation,
        of=wanted.kind,
        source=source,
        target=target["id"],
        target_kind=kind.removeprefix("#microsoft.graph."),
    )


def _account(row: Object, wanted: Reading) -> Account:
    made = msgspec.convert(row, UserRow).value(EVERYBODY)
    return replace(made, attributes=_chosen(row, wanted))


def _entity(row: Object, wanted: Reading) -> Entity:
    return Entity(
        kind=wanted.kind,
        id=row["id"],
        display_name=row.get("displayName") or "",
        attributes=_chosen(row, wanted),
    )


def _chosen(row: Object, wanted: Reading) -> Object:
    """What has a value: Graph leaves some empty ones out and answers null or [] for others."""
    return {name: row[name] for name in wanted.attributes if row.get(name) not in (None, [])}
