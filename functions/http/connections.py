"""Onboarding, and the state of connections."""

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
    given = asking.query(req, ("limit", "after"))
    limit = asking.count(given, "limit", default=PAGE, most=LONGEST_PAGE)
    after = given.get("after", "")
    ctx = await connect()
    known = sorted(await ctx.ledger.connections(), key=lambda row: row.spec.name)
    rest = [row for row in known if row.spec.name > after]
    now = ctx.clock.now()
    page = tuple(views.line(row, now) for row in rest[:limit])
    more = f"/api/connections?limit={limit}&after={page[-1].name}" if len(rest) > limit else None
    return answers.ok(views.ConnectionList(connections=page, next=more))


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
