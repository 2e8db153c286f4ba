"""The audit: what was refused, and what became of each connection."""

from datetime import datetime
from typing import Any

import azure.functions as func
import msgspec

from functions.http import answers, asking, views
from functions.http.call import Connect
from functions.http.connections import find
from shared.model.connection import Value
from shared.requests import Problem

PAGE = 100
LONGEST = 1000
MOST = 10**9 - 1


class Refusal(Value, frozen=True, omit_defaults=False):
    """Who was refused what, when, and why."""

    id: str
    at: datetime
    source: str  # the call's name, or `provisioning`
    connection: str  # as far as the request named one that could exist
    asked_by: str
    principal: str  # object id of the caller
    reason: str  # code of the first problem
    problems: tuple[Problem, ...]


class RefusalList(Value, frozen=True, omit_defaults=False):
    """Refusals, oldest first; `next` is the URL of the following page."""

    refusals: tuple[Refusal, ...]
    next: str | None


class Entry(Value, frozen=True, omit_defaults=False):
    """One row of the audit history: what was done, and what is known about it."""

    at: datetime
    what: str
    data: dict[str, Any]


class History(Value, frozen=True, omit_defaults=False):
    """The audit history of a connection, oldest first."""

    connection: str
    entries: tuple[Entry, ...]
    next: str | None


async def list_refusals(req: func.HttpRequest, connect: Connect) -> func.HttpResponse:
    limit, after = _page(req)
    rows = await (await connect()).ledger.refusals()
    page = tuple(_refusal(row) for row in rows[after : after + limit])
    following = _following("/api/refusals", limit, after + len(page), len(rows))
    return answers.ok(RefusalList(refusals=page, next=following))


async def show_history(req: func.HttpRequest, connect: Connect) -> func.HttpResponse:
    name = asking.name(req)
    limit, after = _page(req)
    ctx = await connect()
    await find(ctx, name)
    rows = await ctx.ledger.history(name)
    page = tuple(_entry(row) for row in rows[after : after + limit])
    following = _following(f"{views.url(name)}/history", limit, after + len(page), len(rows))
    return answers.ok(History(connection=name, entries=page, next=following))


def _page(req: func.HttpRequest) -> tuple[int, int]:
    """How many rows, behind how many: rows are only ever added, so a count is a place."""
    given = asking.query(req, ("limit", "after"))
    return (
        asking.count(given, "limit", default=PAGE, most=LONGEST),
        asking.count(given, "after", default=0, most=MOST),
    )


def _following(url: str, limit: int, end: int, rows: int) -> str | None:
    return f"{url}?limit={limit}&after={end}" if end < rows else None


def _refusal(row: dict[str, Any]) -> Refusal:
    known = {"source": "provisioning", "connection": "", "asked_by": "", "principal": ""}
    fields = {**known, **row, "id": row["message_id"]}  # older rows lack some
    return msgspec.convert(fields, Refusal)


def _entry(row: dict[str, Any]) -> Entry:
    data = {key: value for key, value in row.items() if key not in ("at", "what")}
    return msgspec.convert({"at": row["at"], "what": row["what"], "data": data}, Entry)
