"""Entities and links of discovery, as an export hands them on."""

from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import azure.functions as func
import msgspec

from functions.http import answers, asking, downloads, forms, rows, views
from functions.http.call import Connect
from functions.http.connections import find
from shared.context import Context
from shared.model.accounts import Account, Summary
from shared.model.connection import Value
from shared.model.entities import KINDS, USER, Entity, Link
from shared.planning.snapshots import Position, visible_since

LINKS = ("members", "owners")

OTHERS = "other"
"""In a place: a row behind the users."""


class EntityPage(Value, frozen=True, omit_defaults=False):
    """Some entities of the latest finished discovery; `next` is the URL of the following page.

    `cursor` is what to read the changes after, once all pages were read.
    """

    connection: str
    discovery: str
    as_of: datetime | None
    cursor: str
    entities: tuple[Entity, ...]
    next: str | None


class LinkPage(Value, frozen=True, omit_defaults=False):
    """Some members and owners of the latest finished discovery."""

    connection: str
    discovery: str
    as_of: datetime | None
    cursor: str
    links: tuple[Link, ...]
    next: str | None


async def list_entities(req: func.HttpRequest, connect: Connect) -> func.HttpResponse:
    name = asking.name(req)
    given = asking.query(req, ("kind", "limit", "after", "format"))
    kind = asking.choice(given, "kind", KINDS)
    after = _place(given.get("after", "")) if not kind else (kind, given.get("after", ""))
    ctx = await connect()
    await find(ctx, name)
    columns = ("kind", "id", "display_name", "attributes")
    listing = await _Listing.begin(req, ctx, name, given, "entities", columns)
    found = downloads.those(_entities(ctx, name, kind, after), lambda row: kind in ("", row.kind))

    def place(row: Entity) -> str:
        return row.id if kind else f"{USER if row.kind == USER else OTHERS}.{row.id}"

    return await listing.answer(
        found, lambda rows, seen: EntityPage(entities=tuple(rows), **seen), place
    )


async def list_links(req: func.HttpRequest, connect: Connect) -> func.HttpResponse:
    name = asking.name(req)
    given = asking.query(req, ("kind", "source", "target", "limit", "after", "format"))
    kind = asking.choice(given, "kind", LINKS)
    source, target = given.get("source", ""), given.get("target", "")
    after = given.get("after", "")
    ctx = await connect()
    await find(ctx, name)

    def wanted(row: Link) -> bool:
        ends = (not source or row.source == source) and (not target or row.target == target)
        return ends and (not kind or row.kind == kind) and row.id > after

    columns = ("kind", "of", "source", "target", "target_kind")
    listing = await _Listing.begin(req, ctx, name, given, "links", columns)
    store = ctx.account_store
    if source and kind:
        found = store.links_of(name, kind, source)
    else:
        found = store.links_to(name, target) if target else store.links(name, after)
    return await listing.answer(
        downloads.those(found, wanted),
        lambda rows, seen: LinkPage(links=tuple(rows), **seen),
        lambda row: row.id,
    )


class _Listing(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for, and the snapshot that the rows are of."""

    req: func.HttpRequest
    name: str
    what: str  # last part of the path
    given: Mapping[str, str]
    form: str
    limit: int
    columns: tuple[str, ...]
    latest: Summary | None
    cursor: str

    @classmethod
    async def begin(
        cls,
        req: func.HttpRequest,
        ctx: Context,
        name: str,
        given: Mapping[str, str],
        what: str,
        columns: tuple[str, ...],
    ) -> "_Listing":
        form = asking.form(req, forms.ACCOUNTS)
        limit = asking.count(
            given, "limit", default=downloads.ROWS[form], most=downloads.LONGEST[form]
        )
        # Before the rows: changes that come between are told again rather than not at all.
        shown = await ctx.account_store.latest(name)
        return cls(
            req=req,
            name=name,
            what=what,
            given=given,
            form=form,
            limit=limit,
            columns=columns,
            latest=shown.summary if shown else None,
            cursor=str(shown.position if shown else Position()),
        )

    async def answer(
        self, found: AsyncIterator[Any], wrap: Any, place: Callable[[Any], str]
    ) -> func.HttpResponse:
        if self.form != "json":
            return await self._file(found, place)
        page, more = await rows.page(found, self.limit)
        following = self._next(place(page[-1])) if more else None
        seen = {
            "connection": self.name,
            "discovery": self.latest.operation if self.latest else "",
            "as_of": visible_since(self.latest) if self.latest else None,
            "cursor": self.cursor,
            "next": following,
        }
        return answers.ok(wrap(page, seen), headers=views.linked(following))

    async def _file(
        self, found: AsyncIterator[Any], place: Callable[[Any], str]
    ) -> func.HttpResponse:
        file, line = downloads.begin(self.req, self.form, self.columns)

        def written(row: Any) -> bytes:
            return line(msgspec.structs.asdict(row) if self.form == "csv" else row)

        last = await downloads.fill(file, found, self.limit, written, place)
        following = self._next(last) if last else None
        headers = {**views.linked(following), "X-Cursor": self.cursor}
        return file.answer(forms.ACCOUNTS[self.form], headers)

    def _next(self, after: str) -> str:
        kept = {key: value for key, value in self.given.items() if key != "after"}
        return f"{views.url(self.name)}/{self.what}?{urlencode({**kept, 'after': after})}"


def _place(after: str) -> tuple[str, str]:
    """Users come first; the place of a row behind says which of the two lists it is in."""
    if not after:
        return "", ""
    part, found, id_ = after.partition(".")
    if not found or part not in (USER, OTHERS):
        message = "after is no place in this list"
        hint = "follow the URL in next, or leave it out to begin with the first page"
        raise answers.fault(400, "INPUT_INVALID", message, hint, field="after")
    return part, id_


async def _entities(
    ctx: Context, name: str, kind: str, after: tuple[str, str]
) -> AsyncIterator[Entity]:
    """From behind a place on; of all kinds, users first."""
    part, id_ = after
    if part in ("", USER):
        async for account in ctx.account_store.accounts(name, id_):
            yield as_entity(account)
        id_ = ""
    if kind != USER:
        async for row in ctx.account_store.entities(name, id_):
            yield row


def as_entity(account: Account) -> Entity:
    return Entity(
        kind=USER,
        id=account.id,
        display_name=account.display_name,
        attributes={
            "userPrincipalName": account.user_principal_name,
            "accountEnabled": account.enabled,
            "userType": "Guest" if account.guest else "Member",
            "mail": account.mail,
            **account.attributes,
        },
    )
