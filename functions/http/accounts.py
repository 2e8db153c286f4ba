"""Discovered accounts, page by page, and the runs that found them."""

import csv
import io
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime
from urllib.parse import urlencode

import azure.functions as func
import msgspec

from functions.http import answers, asking, forms, views
from functions.http.call import Connect
from functions.http.connections import find
from shared.model.accounts import Account, Summary
from shared.model.connection import Value

PAGE = {"json": 100, "csv": 50_000, "ndjson": 50_000}
"""Accounts of an answer unless the caller limits it: pages for programs, files for people."""

LONGEST = {"json": 1000, "csv": 50_000, "ndjson": 50_000}

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

FINISHED = ("succeeded", "partial")


class AccountPage(Value, frozen=True, omit_defaults=False):
    """Some accounts of the latest finished discovery; `next` is the URL of the following page."""

    connection: str
    discovery: str  # operation that found them; empty before the first
    as_of: datetime | None
    accounts: tuple[Account, ...]
    next: str | None


class DiscoveryList(Value, frozen=True, omit_defaults=False):
    """Discovery runs, newest first."""

    connection: str
    discoveries: tuple[Summary, ...]


async def list_accounts(req: func.HttpRequest, connect: Connect) -> func.HttpResponse:
    name = asking.name(req)
    given = asking.query(req, (*FILTERS, "limit", "after", "format"))
    form = asking.form(req, forms.ACCOUNTS)
    limit = asking.count(given, "limit", default=PAGE[form], most=LONGEST[form])
    wanted = _filter(given)
    ctx = await connect()
    await find(ctx, name)
    after = given.get("after", "")
    page, more = await _page(ctx.account_store.accounts(name), wanted, after, limit)
    following = None
    if more:
        kept = {key: given[key] for key in (*FILTERS, "format") if key in given}
        query = urlencode({**kept, "limit": limit, "after": page[-1].id})
        following = f"{views.url(name)}/accounts?{query}"
    headers = {"Link": f'<{following}>; rel="next"'} if following else {}
    if form == "csv":
        return answers.text(_csv(page), forms.ACCOUNTS[form], headers)
    if form == "ndjson":
        lines = msgspec.json.Encoder().encode_lines(page).decode()
        return answers.text(lines, forms.ACCOUNTS[form], headers)
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
    await find(ctx, name)
    runs = await ctx.account_store.summaries(name)
    return answers.ok(DiscoveryList(connection=name, discoveries=tuple(runs)))


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


async def _page(
    accounts: AsyncIterator[Account], wanted: Callable[[Account], bool], after: str, limit: int
) -> tuple[list[Account], bool]:
    """Up to *limit* accounts behind the one called *after*, and whether there are more."""
    page: list[Account] = []
    reached = not after
    async for account in accounts:
        if not reached:
            reached = account.id == after
        elif wanted(account):
            if len(page) == limit:
                return page, True
            page.append(account)
    if not reached:
        message = "the account that the page follows is not in the latest discovery"
        hint = "a newer discovery replaced it; start again without after"
        raise answers.fault(409, "PAGE_GONE", message, hint, field="after")
    return page, False


def _csv(accounts: list[Account]) -> str:
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(COLUMNS)
    for account in accounts:
        origins = "; ".join(f"{origin.kind}:{origin.name}" for origin in account.origins)
        row = msgspec.structs.asdict(account) | {"origins": origins}
        writer.writerow([_cell(row[column]) for column in COLUMNS])
    return table.getvalue()


def _cell(value: object) -> str:
    """Text that a spreadsheet does not run: users choose their own display names."""
    if isinstance(value, bool):
        return str(value).lower()
    written = str(value)
    return f"'{written}" if written.startswith(("=", "+", "-", "@", "\t", "\r")) else written


def _latest(runs: list[Summary]) -> Summary | None:
    return next((run for run in runs if run.state in FINISHED), None)
