"""The published secret and its rotation, as people follow them."""

from collections.abc import Iterable, Mapping
from typing import Any

import azure.functions as func

from functions.http import answers, asking
from functions.http.call import Connect
from functions.http.connections import find
from functions.http.credential_views import status
from shared.context import Context
from shared.model.connection import Connection, Operation
from shared.planning.rungs import rungs
from shared.planning.stages import newest


async def show_credential(req: func.HttpRequest, connect: Connect) -> func.HttpResponse:
    asked = asking.name(req)
    asking.query(req, ())
    ctx = await connect()
    connection = await find(ctx, asked)
    history = await ctx.ledger.history(asked)
    operation = await _maker(ctx, connection, history)
    timeline = rungs(history, operation.id) if operation else ()
    shown = status(connection, operation, timeline, history, ctx.clock.now())
    return answers.ok(shown)


async def _maker(
    ctx: Context, connection: Connection, history: Iterable[Mapping[str, Any]]
) -> Operation | None:
    """The newest operation that makes a secret, or has tried to; else the published one's."""
    name, known = connection.spec.name, connection.credential
    last = await ctx.ledger.operation(name, newest(rungs(history)))
    if last is not None and last.state != "succeeded":
        return last
    return await ctx.ledger.operation(name, known.operation) if known else last
