"""Onboarding, and the state of connections."""

from collections.abc import Callable
from itertools import islice

import azure.functions as func

from functions.http import answers, asking, plans, views
from functions.http.call import Connect
from shared import onboarding
from shared.context import Context
from shared.model.caller import Role
from shared.model.connection import Connection
from shared.requests import check_request
from shared.requests.problem import one_of

PAGE = 100
LONGEST_PAGE = 1000

ATTENTION: dict[str, Callable[[views.ConnectionLine], bool]] = {
    "expiring": lambda line: line.credential_warning is not None,
    "failing": lambda line: bool(line.attention),
    "handover": lambda line: line.handover_open,
}
"""What a person may have to look at."""


async def create_connection(req: func.HttpRequest, connect: Connect) -> func.HttpResponse:
    caller = asking.who(req)
    request = asking.checked(check_request(asking.body(req)))
    if request.approval:
        asking.require(caller, Role.APPROVER, "an approval", field="approval")
    ctx = await connect()
    if request.dry_run:
        return await plans.of_request(req, ctx, request.spec)
    made = await onboarding.onboard(ctx, request, asked_by=caller.name, principal=caller.id)
    location = {"Location": views.url(request.spec.name)}
    status = 202 if made.fresh else 200
    return answers.ok(views.accepted(made.operation), status=status, headers=location)


async def list_connections(req: func.HttpRequest, connect: Connect) -> func.HttpResponse:
    given = asking.query(req, ("limit", "after", "attention"))
    limit = asking.count(given, "limit", default=PAGE, most=LONGEST_PAGE)
    after, wanted = given.get("after", ""), asking.choice(given, "attention", ATTENTION)
    ctx = await connect()
    known = sorted(await ctx.ledger.connections(), key=lambda row: row.spec.name)
    now = ctx.clock.now()
    lines = (views.line(row, now) for row in known if row.spec.name > after)
    found = (line for line in lines if not wanted or ATTENTION[wanted](line))
    page = list(islice(found, limit + 1))
    more = None
    if len(page) > limit:
        page.pop()
        filtered = f"&attention={wanted}" if wanted else ""
        more = f"/api/connections?limit={limit}&after={page[-1].name}{filtered}"
    return answers.ok(views.ConnectionList(connections=tuple(page), next=more))


async def show_connection(req: func.HttpRequest, connect: Connect) -> func.HttpResponse:
    asked = asking.name(req)
    ctx = await connect()
    connection = await find(ctx, asked)
    operations = await ctx.ledger.operations(asked)
    due = await ctx.ledger.due_times(asked)
    headers = {"ETag": views.tag(connection.spec)}
    return answers.ok(views.view(connection, operations, due, ctx.clock.now()), headers=headers)


async def find(ctx: Context, name: str) -> Connection:
    """The connection, or a 404 that names those that exist."""
    connection = await ctx.ledger.connection(name)
    if connection is None:
        known = [row.spec.name for row in await ctx.ledger.connections()]
        hint = one_of(known) if known else "none has been onboarded yet"
        message = f"there is no connection {name}"
        raise answers.fault(404, "CONNECTION_UNKNOWN", message, hint, field="name")
    return connection


async def active(ctx: Context, name: str) -> Connection:
    """The same, or the end of the call for one that is being offboarded, or is."""
    connection = await find(ctx, name)
    onboarding.require_active(connection)
    return connection
