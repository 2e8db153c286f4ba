"""Changing what a connection was asked for."""

from typing import Any

import azure.functions as func

from functions.http import answers, asking, plans, views
from functions.http.call import Connect
from functions.http.connections import active
from shared import onboarding
from shared.model.connection import Spec, Value
from shared.onboarding import differing
from shared.requests import changed, check_change


class ChangeView(Value, frozen=True, omit_defaults=False):
    """A change as stored, and the operation that brings the tenant there."""

    name: str
    operation: str
    state: str
    before: dict[str, Any]  # only what differs
    after: dict[str, Any]
    approval_needed: tuple[str, ...]  # high-risk items that wait for an approver
    status_url: str


async def change_connection(req: func.HttpRequest, connect: Connect) -> func.HttpResponse:
    asked = asking.name(req)
    change = asking.checked(check_change(asking.body(req)))
    caller = asking.who(req)
    ctx = await connect()
    connection = await active(ctx, asked)
    known = connection.spec
    _require_match(req, known)
    fresh = asking.checked(changed(known, change))
    if change.dry_run:
        return await plans.of_change(req, ctx, connection, fresh)
    made = await onboarding.change(ctx, known, fresh, asked_by=caller.name, principal=caller.id)
    before, after = differing(known, fresh)
    operation = made.started.operation
    shown = ChangeView(
        name=asked,
        operation=operation.id,
        state=operation.state,
        before=before,
        after=after,
        approval_needed=made.approval_needed,
        status_url=views.url(asked),
    )
    headers = {"Location": views.url(asked), "ETag": views.tag(fresh)}
    return answers.ok(shown, status=202 if made.started.fresh else 200, headers=headers)


def _require_match(req: func.HttpRequest, known: Spec) -> None:
    """Refuse a change of another version than the one that the caller has seen."""
    wanted = req.headers.get("if-match", "").strip()
    if wanted and wanted not in ("*", views.tag(known)):
        message = "the connection is not as it was when you read it"
        hint = f"read {views.url(known.name)} again, and send its ETag if the change still fits"
        raise answers.fault(412, "CONFIG_CONFLICT", message, hint, field="if-match")
