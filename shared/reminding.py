"""Reminders that a replaced secret is about to go, while nobody has said that it may."""

from shared.planning.overlap import overlap_of, reminder_due
from shared.planning.takeover import waits_for_word
from shared.step import Work
from shared.telling import tell_once

WHAT = "handover.reminded"


async def remind(work: Work) -> None:
    """Tell whoever looks after the product, once for each share of the overlap that is over.

    To be called only while a secret is left that the published one has replaced.
    """
    row = await work.ctx.ledger.connection(work.connection.spec.name) or work.connection
    overlap, credential, spec = overlap_of(row), row.credential, row.spec
    if overlap is None or credential is None or not waits_for_word(work.profile, row):
        return
    percent = reminder_due(overlap, work.ctx.clock.now())
    if percent is None:
        return
    version, handover = credential.vault_version, f"/api/connections/{spec.name}/handover"
    data = {
        "owner": spec.owner,
        "profile": spec.profile,
        "handover": handover,
        "acknowledge": f"{handover}/acknowledgement",
        "removed": overlap.ends,
        "previous_key_id": credential.previous_key_id,
        "operation": credential.operation,
    }
    await tell_once(work.ctx, spec.name, WHAT, {"version": version, "percent": percent}, data)
