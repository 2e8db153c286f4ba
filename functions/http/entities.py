"""Entities and links of discovery, as an export hands them on."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import azure.functions as func
import msgspec

from functions.http import answers, asking, forms, rows, views
from functions.http.call import Connect
from functions.http.connections import find
from shared.context import Context
from shared.model.accounts import Account, Summary
from shared.model.connection import Value
from shared.model.entities import KINDS, USER, Entity, Link
from shared.requests.problem import one_of

NAVIGATION = ("members", "owners")


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
    kind = _choice(given, "kind", KINDS)
    ctx = await connect()
    await find(ctx, name)

    def wanted(row: Entity) -> bool:
        return not kind or row.kind == kind

    found = _everything(ctx, name, kind)
    part = await _Part.read(req, ctx, name, given, found, wanted, "entities")
    if part.form == "csv":
        columns = ("kind", "id", "display_name", "attributes")
        return part.csv(columns)
    return part.answer(lambda seen: EntityPage(entities=tuple(part.rows), **seen))


async def list_links(req: func.HttpRequest, connect: Connect) -> func.HttpResponse:
    name = asking.name(req)
    given = asking.query(req, ("kind", "source", "target", "limit", "after", "format"))
    kind = _choice(given, "kind", NAVIGATION)
    source, target = given.get("source", ""), given.get("target", "")
    ctx = await connect()
    await find(ctx, name)

    def wanted(row: Link) -> bool:
        ends = (not source or row.source == source) and (not target or row.target == target)
        return ends and (not kind or row.kind == kind)

    found = ctx.account_store.links(name)
    part = await _Part.read(req, ctx, name, given, found, wanted, "links")
    if part.form == "csv":
        return part.csv(("kind", "of", "source", "target", "target_kind"))
    return part.answer(lambda seen: LinkPage(links=tuple(part.rows), **seen))


class _Part(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of one answer, and where they come from."""

    name: str
    form: str
    rows: list[Any]
    following: str | None
    latest: Summary | None
    cursor: str

    @classmethod
    async def read(
        cls,
        req: func.HttpRequest,
        ctx: Context,
        name: str,
        given: Mapping[str, str],
        found: AsyncIterator[Any],
        wanted: Any,
        what: str,
    ) -> "_Part":
        form = asking.form(req, forms.ACCOUNTS)
        limit = asking.count(given, "limit", default=rows.PAGE[form], most=rows.LONGEST[form])
        # Before the rows: changes that come between are told again rather than not at all.
        cursor = str(await ctx.account_store.position(name))
        page, more = await rows.page(found, wanted, given.get("after", ""), limit, "row")
        following = None
        if more:
            kept = {key: value for key, value in given.items() if key not in ("limit", "after")}
            query = urlencode({**kept, "limit": limit, "after": page[-1].id})
            following = f"{views.url(name)}/{what}?{query}"
        runs = await ctx.account_store.summaries(name)
        return cls(
            name=name,
            form=form,
            rows=page,
            following=following,
            latest=next((run for run in runs if run.snapshot), None),
            cursor=cursor,
        )

    @property
    def headers(self) -> dict[str, str]:
        return {"Link": f'<{self.following}>; rel="next"'} if self.following else {}

    def csv(self, columns: Sequence[str]) -> func.HttpResponse:
        text = rows.table(columns, (msgspec.structs.asdict(row) for row in self.rows))
        return answers.text(text, forms.ACCOUNTS["csv"], self.headers)

    def answer(self, wrap: Any) -> func.HttpResponse:
        if self.form == "ndjson":
            return answers.text(rows.lines(self.rows), forms.ACCOUNTS["ndjson"], self.headers)
        seen = {
            "connection": self.name,
            "discovery": self.latest.operation if self.latest else "",
            "as_of": self.latest.finished if self.latest else None,
            "cursor": self.cursor,
            "next": self.following,
        }
        return answers.ok(wrap(seen), headers=self.headers)


async def _everything(ctx: Context, name: str, kind: str) -> AsyncIterator[Entity]:
    if kind in ("", USER):
        async for account in ctx.account_store.accounts(name):
            yield as_entity(account)
    if kind != USER:
        async for row in ctx.account_store.entities(name):
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


def _choice(given: Mapping[str, str], key: str, allowed: Sequence[str]) -> str:
    written = given.get(key, "")
    if written and written not in allowed:
        message = f"there is no {key} {written[:60]}"
        raise answers.fault(400, "INPUT_INVALID", message, one_of(allowed), field=key)
    return written
