"""Plans: the answer to a dry run."""

import azure.functions as func
from msgspec.structs import replace

from functions.http import answers, asking
from shared.context import Context
from shared.dry_run import dry_run
from shared.errors import NeedsHuman
from shared.model.connection import Connection, Spec
from shared.planning.plan_text import markdown
from shared.planning.preflight import Finding
from shared.profile import catalogue

FORMS = {"json": "application/json", "markdown": "text/markdown"}


async def of_request(req: func.HttpRequest, ctx: Context, wanted: Spec) -> func.HttpResponse:
    """The plan of a request; that its name is taken is one of the findings."""
    known = await ctx.ledger.connection(wanted.name)
    if known is not None and known.spec == wanted:
        return await _answer(req, ctx, known)
    besides = () if known is None else (_taken(wanted.name),)
    fresh = Connection(spec=wanted, created=ctx.clock.now())
    return await _answer(req, ctx, fresh, besides)


async def of_change(
    req: func.HttpRequest, ctx: Context, known: Connection, wanted: Spec
) -> func.HttpResponse:
    """The plan of a connection as it would be after a change."""
    return await _answer(req, ctx, replace(known, spec=wanted))


async def _answer(
    req: func.HttpRequest, ctx: Context, connection: Connection, besides: tuple[Finding, ...] = ()
) -> func.HttpResponse:
    form = asking.form(req, FORMS)
    profile = catalogue()[connection.spec.profile]
    try:
        plan = await dry_run(ctx, profile, connection, besides)
    except NeedsHuman as problem:
        fault = answers.fault(422, problem.code, problem.message, problem.remedy)
        raise fault from problem
    if form == "markdown":
        return answers.text(markdown(plan), FORMS[form])
    return answers.ok(plan)


def _taken(name: str) -> Finding:
    return Finding(
        code="NAME_TAKEN",
        message=f"{name} exists and was asked for differently.",
        remedy=f"Choose another name, or change it with PATCH /api/connections/{name}.",
    )
