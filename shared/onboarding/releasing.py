"""Removals that a scan held: a person approves or drops them, and the worker acts on it."""

from uuid import uuid4

from shared.context import Context
from shared.model.connection import Operation
from shared.model.scan import Held
from shared.onboarding.approvals import require_four_eyes
from shared.onboarding.rejected import Rejected, find
from shared.onboarding.starting import run
from shared.requests.removals import Verdict


async def held_by(ctx: Context, name: str, operation: str) -> Held:
    """What a scan held; raises `Rejected` REMOVALS_UNKNOWN when it is not that one's turn."""
    held = await ctx.account_store.held(name)
    if held is not None and held.operation == operation:
        return held
    now = (
        f"the removals of {held.operation} wait"
        if held is not None
        else f"{name} has no removals that wait"
    )
    raise Rejected(
        "operation",
        "REMOVALS_UNKNOWN",
        f"no removals of that discovery wait: {now}",
        f"see held in GET /api/connections/{name}/discoveries",
    )


async def release(
    ctx: Context, name: str, operation: str, verdict: Verdict, *, asked_by: str, principal: str
) -> Operation:
    """Start what takes the held rows away, or lets them stay: no scan runs at the same time.

    Raises `Rejected` REMOVALS_UNKNOWN, SELF_APPROVAL, or what is in the way of any operation.
    """
    held = await held_by(ctx, name, operation)
    connection = await find(ctx, name)
    if verdict.approves:
        what = "whoever asked for a connection cannot approve what its scans take away"
        require_four_eyes(ctx, connection.requested_by, principal, field="decision", what=what)
    started = await run(
        ctx,
        name,
        "discover",
        uuid4().hex,
        asked_by=asked_by,
        principal=principal,
        reason=verdict.reason,
        options=(verdict.choice, operation),
    )
    data = {
        "discovery": operation,
        "decision": verdict.choice,
        "reason": verdict.reason,
        "accounts": held.losses.accounts,
        "by": asked_by,
        "principal": principal,
        "asked_by": asked_by,
        "operation": started.id,
    }
    await ctx.ledger.record(name, ctx.clock.now(), "removals.decided", data)
    return started
