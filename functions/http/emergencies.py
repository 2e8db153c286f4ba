"""Emergency rotations: what is about to happen, and what it cannot undo."""

from datetime import datetime
from uuid import uuid4

import azure.functions as func

from functions.http import answers, asking, views
from functions.http.call import Connect
from functions.http.connections import active
from shared import onboarding
from shared.model.connection import Connection, Value
from shared.model.credential import HeldSecret
from shared.planning.credentials import is_ours
from shared.planning.rungs import Rung, rungs
from shared.requests import Emergency

WARNING = (
    "Access tokens that were issued already stay valid to their end, about an hour: nothing that "
    "Keyturn can do ends them sooner."
)


class OtherSecret(Value, frozen=True, omit_defaults=False):
    """A secret on the application besides the published one.

    What is `ours` is removed, unless it is the staged one that is published instead; what is
    not, never is.
    """

    key_id: str
    name: str
    hint: str
    starts: datetime
    expires: datetime
    ours: bool


class EmergencyView(Value, frozen=True, omit_defaults=False):
    """An emergency rotation that was started, or is going on already."""

    name: str
    operation: str
    state: str
    status_url: str
    reason: str
    options: tuple[str, ...]
    old_key_ids: tuple[str, ...]  # of the published secret and of the one before it
    others: tuple[OtherSecret, ...] | None  # null: the directory could not be read just now
    superseded: str  # id of the operation in whose place it was started
    superseded_kind: str
    warning: str
    timeline: tuple[Rung, ...]  # so far; GET .../credential shows the rest


async def start_emergency(
    wish: Emergency, req: func.HttpRequest, connect: Connect
) -> func.HttpResponse:
    asked, caller = asking.name(req), asking.who(req)
    ctx = await connect()
    await active(ctx, asked)
    begun = await onboarding.replace_now(
        ctx, asked, wish, uuid4().hex, asked_by=caller.name, principal=caller.id
    )
    connection = await active(ctx, asked)
    timeline = rungs(await ctx.ledger.history(asked), begun.operation.id)
    location = {"Location": views.url(asked)}
    return answers.ok(_view(connection, begun, timeline), status=202, headers=location)


def _view(
    connection: Connection, begun: onboarding.Urgent, timeline: tuple[Rung, ...]
) -> EmergencyView:
    operation, gone, known = begun.operation, begun.superseded, connection.credential
    old = (known.key_id, known.previous_key_id) if known else ()
    strays = {stray.key_id for stray in connection.strays}
    others = begun.others
    return EmergencyView(
        name=operation.connection,
        operation=operation.id,
        state=operation.state,
        status_url=views.url(operation.connection),
        reason=operation.reason,
        options=operation.options,
        old_key_ids=tuple(key for key in old if key),
        others=None if others is None else tuple(_other(s, old, strays) for s in others),
        superseded=gone.id if gone else "",
        superseded_kind=gone.kind if gone else "",
        warning=WARNING,
        timeline=timeline,
    )


def _other(secret: HeldSecret, old: tuple[str, ...], strays: set[str]) -> OtherSecret:
    ours = secret.key_id in old or (is_ours(secret) and secret.key_id not in strays)
    return OtherSecret(
        key_id=secret.key_id,
        name=secret.name,
        hint=secret.hint,
        starts=secret.starts,
        expires=secret.ends,
        ours=ours,
    )
