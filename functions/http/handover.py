"""The hand-over sheet, and the word that it was used."""

import azure.functions as func

from functions.http import answers, asking
from functions.http.call import Connect
from functions.http.connections import active, find
from shared import onboarding
from shared.errors import NeedsHuman
from shared.handover import environment, markdown, offered, settings_file, sheet
from shared.profile import catalogue
from shared.requests import check_acknowledgement


async def show_handover(req: func.HttpRequest, connect: Connect) -> func.HttpResponse:
    asked = asking.name(req)
    asking.query(req, ("format",))
    ctx = await connect()
    connection = await active(ctx, asked)
    profile = catalogue().get(connection.spec.profile)
    if profile is None:
        message = f"there is no profile {connection.spec.profile} any more"
        hint = "deploy a version that has it"
        raise answers.fault(409, "PROFILE_UNKNOWN", message, hint)
    form = asking.form(req, offered(profile))
    tenant = await ctx.directory.tenant()
    try:
        made = sheet(profile, connection, tenant, ctx.vault.reference)
    except NeedsHuman as problem:
        raise answers.fault(409, problem.code, problem.message, problem.remedy) from problem
    headers: dict[str, str] = {}
    if form == "json":
        return answers.ok(made, headers=headers)
    if form == "markdown":
        return answers.text(markdown(made), "text/markdown", headers)
    if form == "env":
        headers |= _attached(f"{asked}.env")
        return answers.text(environment(made, ctx.vault.reference), "text/plain", headers)
    headers |= _attached(form)
    return answers.text(settings_file(made, form), "application/json", headers)


def _attached(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}


async def acknowledge_handover(req: func.HttpRequest, connect: Connect) -> func.HttpResponse:
    asked = asking.name(req)
    given = asking.checked(check_acknowledgement(asking.body(req)))
    ctx = await connect()
    await find(ctx, asked)
    caller = asking.who(req)
    condition = await onboarding.acknowledge(
        ctx,
        asked,
        given,
        by=given.by or caller.name,
        asked_by=caller.name,
        principal=caller.id,
    )
    return answers.ok(condition)
