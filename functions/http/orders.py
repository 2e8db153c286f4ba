"""Calls that start an operation of a connection, and approvals."""

from uuid import uuid4

import azure.functions as func

from functions.http import answers, asking, views
from functions.http.call import Connect
from functions.http.connections import active
from functions.http.emergencies import start_emergency
from shared import onboarding
from shared.model.connection import Approval, Value
from shared.operations import FULL_RUN
from shared.requests import check_approval, check_empty, check_rotation
from shared.requests.discovery import check_discovery


class ApprovalView(Value, frozen=True, omit_defaults=False):
    """An approval as stored; `operation` when the onboarding that waited for it goes on."""

    name: str
    approval: Approval
    operation: str
    status_url: str


async def start_rotation(req: func.HttpRequest, connect: Connect) -> func.HttpResponse:
    urgent = asking.checked(check_rotation(asking.body(req)))
    if urgent is not None:
        return await start_emergency(urgent, req, connect)
    return await _start("rotate", req, connect)


async def start_verification(req: func.HttpRequest, connect: Connect) -> func.HttpResponse:
    asking.no_problems(check_empty(asking.body(req)))
    return await _start("verify", req, connect)


async def start_discovery(req: func.HttpRequest, connect: Connect) -> func.HttpResponse:
    full = asking.checked(check_discovery(asking.body(req)))
    return await _start("discover", req, connect, reason=FULL_RUN if full else "requested")


async def _start(
    kind: str, req: func.HttpRequest, connect: Connect, *, reason: str = "requested"
) -> func.HttpResponse:
    asked, caller = asking.name(req), asking.who(req)
    ctx = await connect()
    await active(ctx, asked)
    started = await onboarding.run(
        ctx,
        asked,
        kind,
        uuid4().hex,
        asked_by=caller.name,
        principal=caller.id,
        reason=reason,
    )
    location = {"Location": views.url(asked)}
    return answers.ok(views.accepted(started), status=202, headers=location)


async def give_approval(req: func.HttpRequest, connect: Connect) -> func.HttpResponse:
    asked = asking.name(req)
    approval = asking.checked(check_approval(asking.body(req)))
    ctx = await connect()
    await active(ctx, asked)
    caller = asking.who(req)
    resumed = await onboarding.approve(
        ctx, asked, approval, asked_by=caller.name, principal=caller.id
    )
    stored = (await active(ctx, asked)).approval or approval
    shown = ApprovalView(
        name=asked,
        approval=stored,
        operation=resumed.operation.id if resumed else "",
        status_url=views.url(asked),
    )
    location = {"Location": views.url(asked)}
    return answers.ok(shown, status=202 if resumed else 200, headers=location)
