"""Discovered accounts, page by page, and the runs that found them."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import azure.functions as func
import msgspec
from msgspec.structs import replace

from functions.http import answers, asking, forms, rows, views
from functions.http.call import Connect
from functions.http.connections import find
from functions.http.definitions import Definition, define
from shared.context import Context
from shared.model.accounts import Account, Summary
from shared.model.connection import FINISHED, Value
from shared.planning.discovery_runs import as_shown

FILTERS = ("enabled", "guest", "origin")

COLUMNS = (
    "id",
    "user_principal_name",
    "display_name",
    "enabled",
    "guest",
    "mail",
    "eligible",
    "state",
    "origins",
)


class AccountPage(Value, frozen=True, omit_defaults=False):
    """Some accounts of the latest finished discovery; `next` is the URL of the following page."""

    connection: str
    discovery: str  # operation that found them; empty before the first
    as_of: datetime | None
    accounts: tuple[Account, ...]
    next: str | None


class DiscoveryList(Value, frozen=True, omit_defaults=False):
    """The definition of discovery, and its runs, newest first."""

    connection: str
    definition: Definition | None
    discoveries: tuple[Summary, ...]


async def list_accounts(req: func.HttpRequest, connect: Connect) -> func.HttpResponse:
    name = asking.name(req)
    given = asking.query(req, (*FILTERS, "limit", "after", "format"))
    form = asking.form(req, forms.ACCOUNTS)
    limit = asking.count(given, "limit", default=rows.PAGE[form], most=rows.LONGEST[form])
    wanted = _filter(given)
    ctx = await connect()
    await find(ctx, name)
    after = given.get("after", "")
    page, more = await rows.page(ctx.account_store.accounts(name), wanted, after, limit, "account")
    page, following = await _as_imported(ctx, name, page), None
    if more:
        kept = {key: given[key] for key in (*FILTERS, "format") if key in given}
        query = urlencode({**kept, "limit": limit, "after": page[-1].id})
        following = f"{views.url(name)}/accounts?{query}"
    headers = {"Link": f'<{following}>; rel="next"'} if following else {}
    if form == "csv":
        return answers.text(_csv(page), forms.ACCOUNTS[form], headers)
    if form == "ndjson":
        return answers.text(rows.lines(page), forms.ACCOUNTS[form], headers)
    latest = _latest(await ctx.account_store.summaries(name))
    return answers.ok(
        AccountPage(
            connection=name,
            discovery=latest.operation if latest else "",
            as_of=latest.finished if latest else None,
            accounts=tuple(page),
            next=following,
        ),
        headers=headers,
    )


async def list_discoveries(req: func.HttpRequest, connect: Connect) -> func.HttpResponse:
    name = asking.name(req)
    ctx = await connect()
    connection = await find(ctx, name)
    due = (await ctx.ledger.due_times(name)).get("discover")
    flight = await ctx.ledger.operation(name, connection.operation)
    now = ctx.clock.now()
    runs = [as_shown(run, flight, now) for run in await ctx.account_store.summaries(name)]
    definition = await define(ctx, connection.spec, due, runs)
    return answers.ok(
        DiscoveryList(connection=name, definition=definition, discoveries=tuple(runs))
    )


def _filter(given: Mapping[str, str]) -> Callable[[Account], bool]:
    enabled, guest = asking.flag(given, "enabled"), asking.flag(given, "guest")
    origin = given.get("origin", "").casefold()

    def wanted(account: Account) -> bool:
        if enabled is not None and account.enabled != enabled:
            return False
        if guest is not None and account.guest != guest:
            return False
        return not origin or any(
            origin in (found.id.casefold(), found.name.casefold()) for found in account.origins
        )

    return wanted


def _csv(accounts: list[Account]) -> str:
    return rows.table(COLUMNS, map(_columns, accounts))


def _columns(account: Account) -> dict[str, Any]:
    origins = "; ".join(f"{origin.kind}:{origin.name}" for origin in account.origins)
    return msgspec.structs.asdict(account) | {"origins": origins}


async def _as_imported(ctx: Context, name: str, page: list[Account]) -> list[Account]:
    """A scan imports nothing; accounts that were selected and imported since say so."""
    store, _ = await ctx.import_store.load(name)
    taken = {user.id for user in store.present()}
    return [replace(row, state="imported") if row.id in taken else row for row in page]


def _latest(runs: list[Summary]) -> Summary | None:
    return next((run for run in runs if run.state in FINISHED), None)
