"""Publishes the result: the hand-over sheet is complete, and the world is told."""

from shared.handover import sheet
from shared.imports import schedule_first
from shared.mirror import mirror
from shared.model.connection import Aspect
from shared.planning.takeover import ACKNOWLEDGED, in_use, stale_copy
from shared.step import Done, Work, step


@step(Aspect.HANDED_OVER)
async def report(work: Work) -> Done:
    """Check that every line of the hand-over sheet has a value, and announce it."""
    await mirror(work)  # what the product reads by itself may have been changed meanwhile
    name, operation = work.connection.spec.name, work.message.operation
    connection = await work.ctx.ledger.connection(name) or work.connection
    tenant = await work.ctx.directory.tenant()
    made = sheet(work.profile, connection, tenant, work.ctx.vault.reference)
    data = {
        "operation": operation,
        "kind": work.message.kind,
        "profile": work.profile.id,
        "steps": [step.what for step in made.steps],
        "handover": f"/api/connections/{name}/handover",
        "conditions": {c.type: c.status for c in work.connection.conditions},
    }
    await work.announce("connection.reported", data, at=work.now, mark="report")
    await schedule_first(work)
    if said := in_use(connection):
        return Done(ACKNOWLEDGED, said)  # somebody's word for this very version
    if stale := stale_copy(work.profile, connection, work.ctx.clock.now()):
        return Done("SECRET_STALE_COPY", stale)
    asked = f" For a person to do: {len(made.steps)}." if made.steps else ""
    return Done(
        "PUBLISHED",
        f"{len(made.lines)} lines for the product are ready to be taken over.{asked}",
    )
