"""Requests to replace a secret that others may know, at once and in the place of anything else."""

from shared import operations
from shared.context import Context
from shared.errors import StepError
from shared.model.connection import Connection, Operation, Value
from shared.model.credential import HeldSecret
from shared.onboarding.rejected import Rejected, busy, find, in_the_way
from shared.onboarding.starting import require_ours
from shared.requests import Emergency


class Urgent(Value, frozen=True):
    """What came of a request: its operation, the one that it pre-empted, and what is there now."""

    operation: Operation
    superseded: Operation | None
    others: tuple[HeldSecret, ...] | None  # secrets that are not the published one; None: unread


async def replace_now(
    ctx: Context,
    name: str,
    wish: Emergency,
    operation: str,
    *,
    asked_by: str,
    principal: str = "",
) -> Urgent:
    """Start an emergency rotation, or join one that was asked for with the same options.

    Who asks and why is recorded first. Raises `Rejected` NOT_HANDED_OVER where no secret was
    ever published, FEATURE_OFF where somebody else rotates, OFFBOARDING and OFFBOARDED.
    """
    connection = await find(ctx, name)
    require_ours(connection)
    if connection.credential is None:
        raise Rejected(
            "connection",
            "NOT_HANDED_OVER",
            f"{name} has no published secret that others could know",
            "wait until its onboarding has succeeded",
        )
    others = await _others(ctx, connection)
    flight = await operations.in_flight(ctx, name)
    if flight and flight.kind == operations.EMERGENCY and flight.options == wish.options:
        return Urgent(operation=flight, superseded=None, others=others)
    if flight is not None and flight.kind == operations.OFFBOARD:
        raise busy(name, flight.id)
    data = {
        "operation": operation,
        "by": asked_by,
        "principal": principal,
        "reason": wish.reason,
        "options": wish.options,
        "key_id": connection.credential.key_id,
        "instead_of": flight.id if flight else "",
    }
    await ctx.ledger.record(name, ctx.clock.now(), "emergency.requested", data)
    started = await operations.start(
        ctx,
        name,
        operations.EMERGENCY,
        operation,
        asked_by=asked_by,
        reason=wish.reason,
        options=wish.options,
    )
    if started is None:
        raise await in_the_way(ctx, name) or busy(name, "")
    return Urgent(operation=started, superseded=flight, others=others)


async def _others(ctx: Context, connection: Connection) -> tuple[HeldSecret, ...] | None:
    """An emergency does not wait for a directory that cannot be read just now."""
    try:
        held = await ctx.credentials.held(connection.facts.object_id)
    except StepError:
        return None
    published = connection.credential.key_id if connection.credential else ""
    return None if held is None else tuple(s for s in held if s.key_id != published)
