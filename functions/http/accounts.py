"""Discovered accounts, page by page, and the runs that found them."""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from urllib.parse import urlencode

import azure.functions as func
from msgspec.structs import replace

from functions.http import account_rows, answers, asking, downloads, forms, rows, views
from functions.http.call import Connect
from functions.http.connections import find
from functions.http.definitions import Definition, define
from shared.context import Context
from shared.model.accounts import Account, Summary
from shared.model.connection import Connection, Value
from shared.model.scan import Held
from shared.planning.discovery_runs import as_shown
from shared.planning.snapshots import visible_since
from shared.profile import catalogue


class AccountPage(Value, frozen=True, omit_defaults=False):
    """Some accounts of the latest finished discovery by id; `next` is the URL of the next page.

    A discovery that finishes meanwhile is told by `discovery`: the pages go on behind the same id.
    """

    connection: str
    discovery: str  # operation that found them; empty before the first
    as_of: datetime | None
    accounts: tuple[Account, ...]
    next: str | None


class DiscoveryList(Value, frozen=True, omit_defaults=False):
    """The definition of discovery, and its runs, newest first."""

    connection: str
    definition: Definition | None
    held: Held | None  # removals that wait for somebody's word
    discoveries: tuple[Summary, ...]


async def list_accounts(req: func.HttpRequest, connect: Connect) -> func.HttpResponse:
    name = asking.name(req)
    given = asking.query(req, (*account_rows.FILTERS, "limit", "after", "format"))
    form = asking.form(req, forms.ACCOUNTS)
    limit = asking.count(given, "limit", default=downloads.ROWS[form], most=downloads.LONGEST[form])
    test = account_rows.wanted(given)
    ctx = await connect()
    connection = await find(ctx, name)
    found = ctx.account_store.accounts(name, given.get("after", ""))
    listed = _as_imported(ctx, connection, downloads.those(found, test))
    shown = await ctx.account_store.latest(name)
    latest = shown.summary if shown else None
    if form != "json":
        file, following = await _file(req, connection, listed, given, form, limit)
        seen = {"X-Discovery": latest.operation if latest else ""}
        return file.answer(forms.ACCOUNTS[form], {**views.linked(following), **seen})
    page, more = await rows.page(listed, limit)
    following = _next(name, given, limit, page[-1].id) if more else None
    return answers.ok(
        AccountPage(
            connection=name,
            discovery=latest.operation if latest else "",
            as_of=visible_since(latest) if latest else None,
            accounts=tuple(page),
            next=following,
        ),
        headers=views.linked(following),
    )


async def _file(
    req: func.HttpRequest,
    connection: Connection,
    listed: AsyncIterator[Account],
    given: Mapping[str, str],
    form: str,
    limit: int,
) -> tuple[downloads.File, str | None]:
    """The file, and where it goes on."""
    columns = (*account_rows.COLUMNS, *_attributes(connection))
    file, line = downloads.begin(req, form, columns)

    def written(row: Account) -> bytes:
        return line(account_rows.columns(row) if form == "csv" else row)

    last = await downloads.fill(file, listed, limit, written, lambda row: row.id)
    return file, _next(connection.spec.name, given, limit, last) if last else None


async def list_discoveries(req: func.HttpRequest, connect: Connect) -> func.HttpResponse:
    name = asking.name(req)
    ctx = await connect()
    connection = await find(ctx, name)
    due = (await ctx.ledger.due_times(name)).get("discover")
    flight = await ctx.ledger.operation(name, connection.operation)
    now = ctx.clock.now()
    runs = [as_shown(run, flight, now) for run in await ctx.account_store.summaries(name)]
    shown = DiscoveryList(
        connection=name,
        definition=await define(ctx, connection.spec, due, runs),
        held=await ctx.account_store.held(name),
        discoveries=tuple(runs),
    )
    return answers.ok(shown)


def _next(name: str, given: Mapping[str, str], limit: int, last: str) -> str:
    kept = {key: given[key] for key in (*account_rows.FILTERS, "format") if key in given}
    if "limit" in given:
        kept["limit"] = str(limit)
    return f"{views.url(name)}/accounts?{urlencode({**kept, 'after': last})}"


def _attributes(connection: Connection) -> tuple[str, ...]:
    """What is selected of users besides the usual, as far as it clashes with no column."""
    profile = catalogue().get(connection.spec.profile)
    policy = profile.discovery if profile else None
    selected = connection.spec.inputs.get("attributes") or (policy and policy.attributes) or ()
    return tuple(name for name in selected if name not in account_rows.COLUMNS)


async def _as_imported(
    ctx: Context, connection: Connection, found: AsyncIterator[Account]
) -> AsyncIterator[Account]:
    """A scan imports nothing; accounts that were selected and imported since say so."""
    profile = catalogue().get(connection.spec.profile)
    taken: set[str] = set()
    if profile is not None and profile.import_ is not None:
        store, _ = await ctx.import_store.load(connection.spec.name)
        taken = {user.id for user in store.present()}
    async for row in found:
        yield replace(row, state="imported") if row.id in taken else row
