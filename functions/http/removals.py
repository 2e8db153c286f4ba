"""Removals that a scan held because they were too many: listed, approved, dropped."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import azure.functions as func

from functions.http import answers, asking, downloads, forms, rows, views
from functions.http.call import Connect
from functions.http.connections import active, find
from shared import onboarding
from shared.model.accounts import Account
from shared.model.connection import Value
from shared.model.entities import USER, Link, Row
from shared.model.scan import Losses
from shared.requests.removals import check_removals


class HeldRow(Value, frozen=True, omit_defaults=False):
    """A row that would go, or that one of several sources no longer names."""

    kind: str  # of the entity, or members | owners | assigned | eligible
    id: str
    name: str  # of a user the principal name; of a link the two ids


class RemovalPage(Value, frozen=True, omit_defaults=False):
    """What waits for a word, and some of its rows; `next` is the URL of the following page."""

    connection: str
    operation: str  # the last discovery that held any
    since: datetime
    losses: Losses
    rows: tuple[HeldRow, ...]
    next: str | None


async def list_removals(req: func.HttpRequest, connect: Connect) -> func.HttpResponse:
    name, operation = asking.name(req), req.route_params.get("operation") or ""
    given = asking.query(req, ("limit", "after", "format"))
    form = asking.form(req, forms.ACCOUNTS)
    limit = asking.count(given, "limit", default=downloads.ROWS[form], most=downloads.LONGEST[form])
    after = asking.count(given, "after", default=0, most=999_999_999)
    ctx = await connect()
    await find(ctx, name)
    held = await onboarding.held_by(ctx, name, operation)
    found = _behind(ctx.account_store.held_rows(name), after)

    def url(reached: int) -> str:
        kept = {key: given[key] for key in ("limit", "format") if key in given}
        path = f"{views.url(name)}/discoveries/{operation}/removals"
        return f"{path}?{urlencode({**kept, 'after': reached})}"

    if form != "json":
        return await _file(req, form, found, limit, url)
    page, more = await rows.page(found, limit)
    following = url(after + len(page)) if more else None
    shown = RemovalPage(
        connection=name,
        operation=operation,
        since=held.since,
        losses=held.losses,
        rows=tuple(row for _, row in page),
        next=following,
    )
    return answers.ok(shown, headers=views.linked(following))


async def decide_removals(req: func.HttpRequest, connect: Connect) -> func.HttpResponse:
    name, operation = asking.name(req), req.route_params.get("operation") or ""
    verdict = asking.checked(check_removals(asking.body(req)))
    caller = asking.who(req)
    ctx = await connect()
    await active(ctx, name)
    started = await onboarding.release(
        ctx, name, operation, verdict, asked_by=caller.name, principal=caller.id
    )
    location = {"Location": views.url(name)}
    return answers.ok(views.accepted(started), status=202, headers=location)


Numbered = AsyncIterator[tuple[int, HeldRow]]


async def _file(
    req: func.HttpRequest, form: str, found: Numbered, limit: int, url: Any
) -> func.HttpResponse:
    file, line = downloads.begin(req, form, HeldRow.__struct_fields__)

    def written(numbered: tuple[int, HeldRow]) -> bytes:
        row = numbered[1]
        return line({"kind": row.kind, "id": row.id, "name": row.name} if form == "csv" else row)

    last = await downloads.fill(file, found, limit, written, lambda numbered: str(numbered[0]))
    following = url(int(last)) if last else None
    return file.answer(forms.ACCOUNTS[form], views.linked(following))


async def _behind(found: AsyncIterator[Row], after: int) -> Numbered:
    """The rows with their places; they stay as they are until somebody decides."""
    place = 0
    async for row in found:
        place += 1
        if place > after:
            yield place, _shown(row)


def _shown(row: Row) -> HeldRow:
    if isinstance(row, Account):
        return HeldRow(kind=USER, id=row.id, name=row.user_principal_name or row.display_name)
    if isinstance(row, Link):
        return HeldRow(kind=row.kind, id=row.id, name=f"{row.source} - {row.target}")
    return HeldRow(kind=row.kind, id=row.id, name=row.display_name)
