"""Changes of what a connection was asked for; the next onboarding brings the tenant there."""

from typing import Any

import msgspec

from shared.context import Context
from shared.model.connection import Approval, Connection, Spec, Value
from shared.onboarding.rejected import Rejected, find, in_the_way
from shared.onboarding.starting import Onboarding, start_onboarding
from shared.planning.access import plan_access
from shared.planning.risk import uncovered
from shared.profile import catalogue


class Changed(Value, frozen=True):
    """What came of a change, and what of it has no approval yet."""

    started: Onboarding
    approval_needed: tuple[str, ...]


async def change(
    ctx: Context,
    known: Spec,
    fresh: Spec,
    *,
    asked_by: str,
    principal: str = "",
    operation: str = "",
) -> Changed:
    """Store *fresh* in place of *known* and start an onboarding that converges to it.

    Repeating it is safe: what is stored already is only brought on its way. Raises `Rejected`
    OPERATION_RUNNING, or CONFIG_CONFLICT when *known* is not what is stored any more.
    """
    name = known.name
    connection = await find(ctx, name)
    if connection.spec != fresh:
        if rejected := await in_the_way(ctx, name):
            raise rejected
        connection = await _store(ctx, connection, known, fresh, asked_by, principal)
    started = await start_onboarding(ctx, connection, asked_by=asked_by, operation=operation)
    return Changed(started=started, approval_needed=_uncovered(connection, connection.approval))


async def _store(
    ctx: Context, connection: Connection, known: Spec, fresh: Spec, asked_by: str, principal: str
) -> Connection:
    name, now = known.name, ctx.clock.now()
    parts: dict[str, Any] = {"spec": fresh, "changed": now, "requested_by": principal}
    if not await ctx.ledger.exchange(name, known, **parts):
        raise Rejected(
            "connection",
            "CONFIG_CONFLICT",
            f"{name} was changed by somebody else meanwhile",
            f"look at GET /api/connections/{name}, then send the change again if it still fits",
        )
    before, after = differing(known, fresh)
    data = {"by": asked_by, "principal": principal, "before": before, "after": after}
    await ctx.ledger.record(name, now, "connection.changed", data)
    return msgspec.structs.replace(connection, **parts)


def differing(known: Spec, fresh: Spec) -> tuple[dict[str, Any], dict[str, Any]]:
    """The fields that differ, before and after; of features and inputs only those."""
    before, after = msgspec.to_builtins(known), msgspec.to_builtins(fresh)
    for part in ("features", "inputs"):
        for name in set(before[part]) & set(after[part]):
            if before[part][name] == after[part][name]:
                del before[part][name], after[part][name]
    names = [name for name in before if before[name] != after[name]]
    return {n: before[n] for n in names}, {n: after[n] for n in names}


def _uncovered(connection: Connection, approval: Approval | None) -> tuple[str, ...]:
    profile = catalogue().get(connection.spec.profile)
    if profile is None:
        return ()
    return uncovered(plan_access(profile, connection.spec, connection.advice), approval)
