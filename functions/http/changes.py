"""What differs from one snapshot of discovery to the next, read on from a cursor."""

from collections.abc import AsyncIterator

import azure.functions as func

from functions.http import answers, asking, downloads, rows
from functions.http.call import Connect
from functions.http.connections import find
from shared.model.connection import Value
from shared.model.entities import Change
from shared.planning.snapshots import Position

STREAM = {"json": "application/json", "ndjson": "application/x-ndjson"}


class ChangePage(Value, frozen=True, omit_defaults=False):
    """What differs from one snapshot to the next, oldest first.

    Give `cursor` as `after` the next time; repeated rows are possible, lost ones are not.
    """

    connection: str
    changes: tuple[Change, ...]
    cursor: str
    more: bool


async def list_changes(req: func.HttpRequest, connect: Connect) -> func.HttpResponse:
    name = asking.name(req)
    given = asking.query(req, ("after", "limit", "format"))
    form = asking.form(req, STREAM)
    limit = asking.count(given, "limit", default=downloads.ROWS[form], most=downloads.LONGEST[form])
    after = _position(given.get("after", ""))
    ctx = await connect()
    await find(ctx, name)
    end = await ctx.account_store.position(name)
    found = ctx.account_store.changes(name, after)
    try:
        if form == "json":
            return answers.ok(await _page(name, found, limit, end))
        return await _file(req, found, limit, end)
    except LookupError:
        message = f"the changes after {after} are not known"
        hint = "read the entities and links once, then the changes after the cursor they give"
        raise answers.fault(410, "CURSOR_GONE", message, hint, field="after") from None


Placed = AsyncIterator[tuple[Position, Change]]


async def _page(name: str, found: Placed, limit: int, end: Position) -> ChangePage:
    listed, more = await rows.page(found, limit)
    reached = listed[-1][0] if listed else end
    cursor = reached if more else max(end, Position(number=reached.number))
    changes = tuple(change for _, change in listed)
    return ChangePage(connection=name, changes=changes, cursor=str(cursor), more=more)


async def _file(
    req: func.HttpRequest, found: Placed, limit: int, end: Position
) -> func.HttpResponse:
    file, line = downloads.begin(req, "ndjson", ())
    reached = end.number

    def written(placed: tuple[Position, Change]) -> bytes:
        nonlocal reached
        reached = max(reached, placed[0].number)
        return line(placed[1])

    last = await downloads.fill(file, found, limit, written, lambda placed: str(placed[0]))
    headers = {"X-Cursor": last or str(reached), "X-More": str(bool(last)).lower()}
    return file.answer(STREAM["ndjson"], headers)


def _position(written: str) -> Position:
    if not written:
        return Position()
    number, _, row = written.partition(".")
    digits = number + (row or "0")
    if not (digits.isascii() and digits.isdigit() and len(written) < 25):
        hint = "give the cursor of an answer as it was"
        raise answers.fault(400, "INPUT_INVALID", "after is no cursor", hint, field="after")
    return Position(number=int(number), row=int(row)) if row else Position(number=int(number))
