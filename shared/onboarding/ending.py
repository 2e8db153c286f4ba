"""Requests to offboard."""

from shared import operations
from shared.context import Context
from shared.model.connection import Operation
from shared.onboarding.rejected import Rejected, busy, in_the_way, known, require_active
from shared.planning.offboarding import shared_by, still_used
from shared.planning.registration import is_adopted
from shared.profile import catalogue


async def offboard(
    ctx: Context, name: str, operation: str, *, reason: str, asked_by: str, principal: str = ""
) -> Operation:
    """Start taking back everything that Keyturn made, or join what is going on.

    Who asks and why is recorded before anything is done. Raises `Rejected` OPERATION_RUNNING,
    OFFBOARDED, or APPLICATION_SHARED while another connection uses the application.
    """
    connection = await known(ctx, name)
    if connection.offboarding is not None and connection.offboarding.finished is not None:
        require_active(connection)
    flight = await ctx.ledger.operation(name, connection.operation)
    if flight is not None and flight.state == "running":
        if flight.kind == operations.OFFBOARD:
            return flight
        raise busy(name, flight.id)
    profile = catalogue().get(connection.spec.profile)
    others = shared_by(connection, await ctx.ledger.connections())
    if others and not (profile and is_adopted(profile, connection.spec)):
        problem = still_used(connection, others)
        raise Rejected("connection", problem.code, problem.message, problem.remedy)
    data = {"operation": operation, "by": asked_by, "principal": principal, "reason": reason}
    await ctx.ledger.record(name, ctx.clock.now(), "offboarding.requested", data)
    started = await operations.start(
        ctx, name, operations.OFFBOARD, operation, asked_by=asked_by, reason=reason
    )
    if started is None:
        raise await in_the_way(ctx, name) or busy(name, "")
    return started
