"""The hand-over sheet, and the word that it was used."""

import azure.functions as func
import msgspec

from functions.http import answers, asking
from functions.http.call import Connect
from functions.http.connections import active
from shared.errors import NeedsHuman
from shared.handover import environment, markdown, offered, settings_file, sheet
from shared.model.connection import Aspect, Condition, Credential, Status
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
    # Vault URLs name versions: an old sheet must not be taken for the present one.
    headers = {"Cache-Control": "no-store"}
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
    connection = await active(ctx, asked)
    if connection.credential is None:
        message = f"{asked} has no published secret yet"
        hint = "wait until its onboarding has succeeded"
        raise answers.fault(409, "NOT_HANDED_OVER", message, hint)
    by, now = given.by or asking.caller(req), ctx.clock.now()
    known = connection.condition(Aspect.HANDED_OVER)
    condition = Condition(
        type=Aspect.HANDED_OVER,
        status=Status.TRUE,
        reason="ACKNOWLEDGED",
        message=_taken(by, connection.credential),
        since=known.since if known and known.status == Status.TRUE else now,
    )
    await ctx.ledger.set_condition(asked, condition)
    data = {**msgspec.to_builtins(given), "by": by, "asked_by": asking.caller(req)}
    data["version"] = connection.credential.vault_version
    await ctx.ledger.record(asked, now, "handover.acknowledged", data)
    return answers.ok(condition)


def _taken(by: str, credential: Credential) -> str:
    return f"{by} says that version {credential.vault_version} of the secret is in use."
