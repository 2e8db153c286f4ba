"""Offboarding a product."""

from uuid import uuid4

import azure.functions as func

from functions.http import answers, asking, views
from functions.http.call import Connect
from functions.http.connections import find
from shared import onboarding
from shared.requests import check_offboarding


async def offboard_connection(req: func.HttpRequest, connect: Connect) -> func.HttpResponse:
    asked = asking.name(req)
    reason = asking.checked(check_offboarding(asking.body(req)))
    caller = asking.who(req)
    ctx = await connect()
    await find(ctx, asked)
    begun = await onboarding.offboard(
        ctx, asked, uuid4().hex, reason=reason, asked_by=caller.name, principal=caller.id
    )
    location = {"Location": views.url(asked)}
    return answers.ok(views.accepted(begun), status=202, headers=location)
