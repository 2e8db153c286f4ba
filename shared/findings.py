"""Keeps a connection's findings: noted in the ledger and the history, told to the world."""

from datetime import datetime, timedelta
from typing import Any

from shared import telemetry
from shared.errors import StepError
from shared.model.finding import Actor, Finding, Observed
from shared.planning.actors import attributed, by_whom, targets
from shared.planning.findings import Plan, kept, plan_findings, state_of
from shared.step import BELIEVED, Work

AUDIT = "AuditLog.Read.All"

LOGGED = timedelta(days=30)
"""How long Entra ID keeps its log, with a licence; a week without one."""

MOST_READ = 5
"""Objects whose entries one verification reads: the log answers slowly, and few calls at a time."""


async def note_findings(
    work: Work, found: tuple[Observed, ...], *, complete: bool = True, repairing: bool = False
) -> tuple[Finding, ...]:
    """Compare *found* with what is known, tell what is new, and keep it; answers those that last.

    Told first and kept afterwards: a crash in between tells the same again, under the same id.
    Safe beside a person's decision, which is a part of its own.
    """
    name, now = work.connection.spec.name, work.ctx.clock.now()
    row = await work.ctx.ledger.connection(name)  # anew: decisions come at any time
    known, decisions = (row.findings, row.decisions) if row else ((), {})
    plan = plan_findings(name, known, found, decisions, now, complete=complete, repairing=repairing)
    since = max(now - LOGGED, row.verified or now - LOGGED) if row else now - LOGGED
    plan = attributed(plan, await _actors(work, plan.opened, since))
    await _tell(work, plan)
    after = kept(known, plan, now)
    if after != known:
        await work.ctx.ledger.amend(name, findings=after)
    if decisions != work.connection.decisions:
        await work.ctx.ledger.set_due("verify", name, now)  # this look was before them
    return (*plan.opened, *plan.still)


async def _actors(work: Work, opened: tuple[Finding, ...], since: datetime) -> dict[str, Actor]:
    """Who did it, by fingerprint; where the log cannot be read, or is silent, nobody is named."""
    if not opened or AUDIT not in await work.ctx.directory.own_roles():
        return {}
    facts = work.connection.facts
    of = {f: targets(f, application=facts.object_id, principal=facts.principal_id) for f in opened}
    found: dict[str, Actor] = {}
    for target in [one for one in dict.fromkeys(of.values()) if one][:MOST_READ]:
        try:
            entries = await work.ctx.audit_log.entries(target, since - BELIEVED)
        except StepError:
            continue
        for finding in opened:
            actor = by_whom(finding, entries) if of[finding] == target else None
            if actor is not None:
                found[finding.fingerprint] = actor
    return found


async def _tell(work: Work, plan: Plan) -> None:
    now = work.ctx.clock.now()
    if plan.left_out:
        telemetry.event("finding.left-out", count=plan.left_out)
    for finding in plan.opened:
        await work.record("finding.opened", **facts(finding))
    for finding in plan.to_tell:
        data = {**facts(finding), "state": state_of(finding, now), "remedy": finding.remedy}
        once = f"{finding.fingerprint}:{now:%Y-%m-%d}"
        await work.announce("finding.reported", data, at=now, once=once)
    for finding in plan.closed:
        data = {**facts(finding), "why": finding.closed_why}
        await work.record("finding.closed", **data)
        once = f"{finding.fingerprint}:{finding.first_seen.isoformat()}:closed"
        await work.announce("finding.closed", data, at=now, once=once)


def facts(finding: Finding) -> dict[str, Any]:
    """What history and events say of a finding."""
    data: dict[str, Any] = {
        "fingerprint": finding.fingerprint,
        "code": finding.code,
        "verdict": finding.verdict,
        "what": finding.item.what,
        "id": finding.item.id,
        "api": finding.item.api,
        "scope": finding.item.scope,
        "name": finding.name,
        "risk": finding.risk,
        "first_seen": finding.first_seen,
    }
    if finding.actor is not None:
        actor = finding.actor
        data["changed_by"] = {"name": actor.name, "id": actor.id, "at": actor.at}
    return data
