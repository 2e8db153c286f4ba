"""What an approver decides about a finding: accepted as it is, or to be taken away."""

import hashlib

from shared import operations
from shared.context import Context
from shared.model.connection import Connection, Operation, Value
from shared.model.finding import Decision, Finding
from shared.onboarding.approvals import require_four_eyes
from shared.onboarding.rejected import Rejected, find
from shared.planning.findings import decided, refusal
from shared.requests.decisions import Wish


class Decided(Value, frozen=True):
    """A finding with its decision; `operation` when the verification that acts on it began."""

    finding: Finding
    operation: Operation | None


async def decide(
    ctx: Context, name: str, fingerprint: str, wish: Wish, *, asked_by: str, principal: str
) -> Decided:
    """Keep a decision, and have a verification act on it: at once, or with the next sweep.

    Raises `Rejected` FINDING_UNKNOWN, FINDING_CLOSED, FINDING_NOT_ACCEPTABLE,
    FINDING_NOT_REMOVABLE, or SELF_APPROVAL; `TryLater` BUSY while a step works on the connection.
    """
    async with ctx.ledger.turn(name):  # two approvers at once must not undo one another
        connection = await find(ctx, name)
        finding = _finding(connection, fingerprint)
        _require_another(ctx, connection, finding, principal)
        _require_possible(finding, wish)
        before = decided(finding, connection.decisions).decision
        decision = _decision(ctx, finding, wish, asked_by, principal)
        if before is not None and _same(before, decision):
            decision = before  # a repeat
        else:
            await ctx.ledger.amend(name, decisions=_with(connection, finding, decision))
            await _record(ctx, name, finding, decision)
        await ctx.ledger.set_due("verify", name, ctx.clock.now())
    made = decided(finding, {fingerprint: decision})
    return Decided(finding=made, operation=await _act(ctx, name, made, decision))


def _finding(connection: Connection, fingerprint: str) -> Finding:
    known = (f for f in connection.findings if f.fingerprint == fingerprint)
    finding = next(known, None)
    if finding is None:
        name = connection.spec.name
        raise Rejected(
            "fingerprint",
            "FINDING_UNKNOWN",
            f"{name} has no finding of that fingerprint",
            f"list them with GET /api/connections/{name}/findings",
        )
    return finding


def _require_another(
    ctx: Context, connection: Connection, finding: Finding, principal: str
) -> None:
    """Nobody decides about what they asked for, or have done, themselves."""
    what = "whoever asked for a connection cannot decide about its findings"
    require_four_eyes(ctx, connection.requested_by, principal, field="decision", what=what)
    if finding.actor is not None:
        what = f"whoever made the change ({finding.actor.name}) cannot decide about it"
        require_four_eyes(ctx, finding.actor.id, principal, field="decision", what=what)


def _require_possible(finding: Finding, wish: Wish) -> None:
    if (why := refusal(finding, wish.choice)) is not None:
        code, message, hint = why
        raise Rejected("decision", code, message, hint)


def _decision(
    ctx: Context, finding: Finding, wish: Wish, asked_by: str, principal: str
) -> Decision:
    return Decision(
        choice=wish.choice,
        reason=wish.reason,
        by=asked_by,
        principal=principal,
        at=ctx.clock.now(),
        opened=finding.first_seen,
        until=wish.until,
    )


def _same(one: Decision, other: Decision) -> bool:
    def said(d: Decision) -> tuple[object, ...]:
        return d.choice, d.reason, d.by, d.principal, d.until

    return said(one) == said(other)


def _with(connection: Connection, finding: Finding, decision: Decision) -> dict[str, Decision]:
    """All decisions about findings that last; those about closed ones are in the history."""
    lasting = {f.fingerprint for f in connection.findings if f.closed is None}
    kept = {mark: given for mark, given in connection.decisions.items() if mark in lasting}
    return {**kept, finding.fingerprint: decision}


async def _record(ctx: Context, name: str, finding: Finding, decision: Decision) -> None:
    data = {
        "fingerprint": finding.fingerprint,
        "name": finding.name,
        "decision": decision.choice,
        "reason": decision.reason,
        "until": decision.until,
        "by": decision.by,
        "principal": decision.principal,
        "asked_by": decision.by,
    }
    await ctx.ledger.record(name, ctx.clock.now(), "finding.decided", data)


async def _act(ctx: Context, name: str, finding: Finding, decision: Decision) -> Operation | None:
    """The same operation for every repeat; None while another one is in flight: it is due."""
    seed = f"{finding.fingerprint} {decision.at.isoformat()}"
    operation = hashlib.sha256(seed.encode()).hexdigest()[:32]
    reason = f"finding {decision.choice}: {finding.name}"
    return await operations.start(
        ctx, name, "verify", operation, asked_by=decision.by, reason=reason
    )
