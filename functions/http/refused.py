"""Keeps what was refused: who asked for more than they, or the profile, may have."""

from collections.abc import Sequence
from uuid import uuid4

import azure.functions as func
import msgspec

from shared import telemetry
from shared.context import Context
from shared.model.caller import Caller
from shared.requests import Problem
from shared.requests.text import is_name


class _Named(msgspec.Struct):
    name: str = ""


async def note(
    ctx: Context, call: str, req: func.HttpRequest, caller: Caller, problems: Sequence[Problem]
) -> None:
    """Append the refusal of an HTTP call to the audit of refusals."""
    data = {
        "source": call,
        "connection": _connection(req),
        "asked_by": caller.name,
        "principal": caller.id,
        "reason": problems[0].code,
        "problems": msgspec.to_builtins(tuple(problems)),
    }
    await ctx.ledger.refuse(uuid4().hex, ctx.clock.now(), data)
    telemetry.add("keyturn.requests.refused", source="http", code=problems[0].code)
    telemetry.event("request.refused", call=call, reason=problems[0].code)


def _connection(req: func.HttpRequest) -> str:
    name = req.route_params.get("name") or ""
    if not name:
        try:
            name = msgspec.json.decode(req.get_body(), type=_Named).name
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return ""
    return name if is_name(name) else ""
