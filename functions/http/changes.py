"""What differs from one snapshot of discovery to the next, read on from a cursor."""

import azure.functions as func

from functions.http import answers, asking, rows
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
    limit = asking.count(given, "limit", default=rows.PAGE[form], most=rows.LONGEST[form])
    after = _position(given.get("after", ""))
    ctx = await connect()
    await find(ctx, name)
    end = await ctx.account_store.position(name)
    found: list[tuple[Position, Change]] = []
    more = False
    try:
        async for place, change in ctx.account_store.changes(name, after):
            if len(found) == limit:
                more = True
                break
            found.append((place, change))
    except LookupError:
        message = f"the changes after {after} are not known"
        hint = "read the entities and links once, then the changes after the cursor they give"
        raise answers.fault(410, "CURSOR_GONE", message, hint, field="after") from None
    reached = found[-1][0] if found else end
    cursor = str(reached if more else max(end.number, reached.number))
    changes = [change for _, change in found]
    if form == "ndjson":
        headers = {"X-Cursor": cursor, "X-More": str(more).lower()}
        return answers.text(rows.lines(changes), STREAM[form], headers)
    return answers.ok(ChangePage(connection=name, changes=tuple(changes), cursor=cursor, more=more))


def _position(written: str) -> Position:
    if not written:
        return Position()
    number, _, row = written.partition(".")
    digits = number + (row or "0")
    if not (digits.isascii() and digits.isdigit() and len(written) < 25):
        hint = "give the cursor of an answer as it was"
        raise answers.fault(400, "INPUT_INVALID", "after is no cursor", hint, field="after")
    return Position(number=int(number), row=int(row)) if row else Position(number=int(number))
