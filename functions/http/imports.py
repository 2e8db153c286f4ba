"""Imports of users and groups: fetching groups to tick, starting, results row by row."""

from collections.abc import Mapping
from urllib.parse import urlencode
from uuid import uuid4

import azure.functions as func
import msgspec

from functions.http import answers, asking, forms, rows, views
from functions.http.call import Connect
from functions.http.connections import active, find
from shared.context import Context
from shared.importing import Unfit, product, start_import
from shared.model.connection import FINISHED, Value
from shared.model.imports import GroupLine, ImportRow, ImportSummary, row_fields
from shared.requests import check_fetch, check_import

TAKEN = ("imported", "duplicate")
"""States of users whom the product shall have: the lines of its own CSV."""


class GroupList(Value, frozen=True, omit_defaults=False):
    """Groups to tick; `after` asks for the ones behind, in the next request."""

    connection: str
    groups: tuple[GroupLine, ...]
    after: str | None


class ImportList(Value, frozen=True, omit_defaults=False):
    """Imports, newest first."""

    connection: str
    imports: tuple[ImportSummary, ...]


class ImportPage(Value, frozen=True, omit_defaults=False):
    """One import and some of its rows; `next` is the URL of the following page."""

    summary: ImportSummary
    rows: tuple[ImportRow, ...]
    next: str | None


async def fetch_groups(req: func.HttpRequest, connect: Connect) -> func.HttpResponse:
    name = asking.name(req)
    asked = asking.checked(check_fetch(asking.body(req)))
    ctx = await connect()
    product(await active(ctx, name))
    reader = ctx.directory_reader
    lines, more = await reader.group_lines(asked.prefix, asked.after, asked.limit)
    after = lines[-1].id if more and lines else None
    return answers.ok(GroupList(connection=name, groups=tuple(lines), after=after))


async def start(req: func.HttpRequest, connect: Connect) -> func.HttpResponse:
    name = asking.name(req)
    wish = asking.checked(check_import(asking.body(req)))
    caller = asking.who(req)
    ctx = await connect()
    await active(ctx, name)
    try:
        begun = await start_import(
            ctx, name, wish, uuid4().hex, asked_by=caller.name, principal=caller.id
        )
    except Unfit as unfit:
        raise answers.bad_input(unfit.problems) from unfit
    location = {"Location": f"{views.url(name)}/imports/{begun.id}"}
    return answers.ok(views.accepted(begun), status=202, headers=location)


async def list_imports(req: func.HttpRequest, connect: Connect) -> func.HttpResponse:
    name = asking.name(req)
    ctx = await connect()
    await find(ctx, name)
    runs = await ctx.import_store.summaries(name)
    return answers.ok(ImportList(connection=name, imports=tuple(runs)))


async def show_import(req: func.HttpRequest, connect: Connect) -> func.HttpResponse:
    name, operation = asking.name(req), req.route_params.get("operation") or ""
    given = asking.query(req, ("limit", "after", "format", "kind", "state"))
    form = asking.form(req, forms.ROWS)
    limit = asking.count(given, "limit", default=rows.PAGE[form], most=rows.LONGEST[form])
    after = asking.count(given, "after", default=0, most=999_999_999)
    ctx = await connect()
    connection = await find(ctx, name)
    summary = await _summary(ctx, name, operation)
    found: list[ImportRow] = []
    place = 0
    if summary.state in FINISHED:
        async for row in ctx.import_store.rows(name, operation):
            if not _wanted(row, given):
                continue
            place += 1
            if place > after:
                found.append(row)
            if len(found) > limit:
                break
    page, following = found[:limit], None
    if len(found) > limit:
        kept = {key: given[key] for key in ("format", "kind", "state") if key in given}
        query = urlencode({**kept, "limit": limit, "after": after + limit})
        following = f"{views.url(name)}/imports/{operation}?{query}"
    headers = {"Link": f'<{following}>; rel="next"'} if following else {}
    if form == "csv":
        _, policy = product(connection)
        return answers.text(_csv(page, policy.columns), forms.ROWS[form], headers)
    if form == "ndjson":
        return answers.text(rows.lines(page), forms.ROWS[form], headers)
    shown = ImportPage(summary=summary, rows=tuple(page), next=following)
    return answers.ok(shown, headers=headers)


async def _summary(ctx: Context, name: str, operation: str) -> ImportSummary:
    """Also of an import that was asked for and has not begun to run."""
    runs = await ctx.import_store.summaries(name)
    for run in runs:
        if run.operation == operation:
            return run
    asked = await ctx.ledger.operation(name, operation)
    if asked is not None and asked.kind == "import":
        state = "running" if asked.state == "running" else "failed"
        return ImportSummary(
            operation=operation,
            connection=name,
            state=state,
            started=asked.started,
            asked_by=asked.asked_by,
        )
    known = ", ".join(run.operation for run in runs[:5]) or "there is none yet"
    raise answers.fault(404, "IMPORT_UNKNOWN", "there is no such import", known)


def _wanted(row: ImportRow, given: Mapping[str, str]) -> bool:
    return given.get("kind", row.kind) == row.kind and given.get("state", row.state) == row.state


def _csv(page: list[ImportRow], columns: Mapping[str, str]) -> str:
    """In the product's columns where its profile knows them, then only the users it shall have."""
    if not columns:
        return rows.table(row_fields(), map(msgspec.structs.asdict, page))
    users = (row for row in page if row.kind == "user" and row.state in TAKEN)
    return rows.table(columns, map(msgspec.structs.asdict, users))
