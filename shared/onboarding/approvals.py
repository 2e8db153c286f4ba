"""Approvals of what is a path to Global Administrator."""

import msgspec

from shared.context import Context
from shared.model.connection import Approval, Aspect, Connection, Status
from shared.onboarding.rejected import Rejected, find
from shared.onboarding.starting import Onboarding, start_onboarding
from shared.planning.access import plan_access
from shared.planning.risk import high_risk
from shared.profile import catalogue

APPROVAL_PENDING = "APPROVAL_PENDING"
"""Reason of a condition that waits for somebody's approval."""


async def approve(
    ctx: Context, name: str, approval: Approval, *, asked_by: str, principal: str = ""
) -> Onboarding | None:
    """Store an approval; an onboarding that waits for it starts again.

    *principal* is the caller's object id, where the platform vouches for one. Raises `Rejected`
    SELF_APPROVAL when it is the requester's.
    """
    known = await find(ctx, name)
    require_four_eyes(ctx, known.requested_by, principal)
    await store(ctx, known, given(ctx, approval, known, asked_by, principal), asked_by)
    connection = await find(ctx, name)  # anew: a step may have stopped for want of it just now
    if not waits_for_approval(connection):
        return None
    return await start_onboarding(ctx, connection, asked_by=asked_by, operation="")


OWN_REQUEST = "whoever asked for a connection cannot approve its high-risk items"


def require_four_eyes(
    ctx: Context, requester: str, approver: str, *, field: str = "approval", what: str = OWN_REQUEST
) -> None:
    """Raise `Rejected` SELF_APPROVAL when one and the same caller asked and approves."""
    if ctx.four_eyes and approver and approver == requester:
        raise Rejected(
            field,
            "SELF_APPROVAL",
            what,
            f"have somebody else with the app role Keyturn.Approver post the {field}",
        )


def waits_for_approval(connection: Connection) -> bool:
    held = (connection.condition(Aspect.CONSENTED), connection.condition(Aspect.ROLE_ASSIGNED))
    return any(
        condition is not None
        and condition.status == Status.FALSE
        and condition.reason == APPROVAL_PENDING
        for condition in held
    )


def given(
    ctx: Context, approval: Approval, connection: Connection, asked_by: str, principal: str
) -> Approval:
    """The approval with who gave it, its date, and with what it is for."""
    profile = catalogue().get(connection.spec.profile)
    spec, advice = connection.spec, connection.advice
    covers = high_risk(plan_access(profile, spec, advice)) if profile else ()
    return Approval(
        reason=approval.reason,
        by=asked_by,
        principal=principal,
        at=ctx.clock.now(),
        covers=covers,
    )


async def store(
    ctx: Context, connection: Connection, approval: Approval, asked_by: str
) -> Connection:
    """Keep an approval, and note in the audit history who gave it."""
    name = connection.spec.name
    await ctx.ledger.amend(name, approval=approval)
    data = {
        "by": approval.by,
        "principal": approval.principal,
        "reason": approval.reason,
        "covers": approval.covers,
        "asked_by": asked_by,
    }
    await ctx.ledger.record(name, ctx.clock.now(), "approval.given", data)
    return msgspec.structs.replace(connection, approval=approval)


def differs(known: Approval | None, fresh: Approval) -> bool:
    """Whether *fresh* says anything new, its date aside."""
    if known is None:
        return True
    return msgspec.structs.replace(known, at=None) != msgspec.structs.replace(fresh, at=None)
