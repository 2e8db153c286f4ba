"""Starting operations: used by HTTP, timers, and queues alike."""

from datetime import datetime, timedelta

import msgspec

from shared import telemetry
from shared.context import Context
from shared.errors import StepError
from shared.messages import RESUME, StepMessage, announcement, first_step
from shared.model.connection import Connection, Offboarding, Operation

RESUME_AFTER = timedelta(minutes=30)
"""An operation that has not moved for so long has lost its message and is sent again."""

FULL_RUN = "full run requested"
"""Reason of a discovery that reads everything, whatever it could read on from."""

TIMER = "timer"
"""Who asks for what is due: whether it still is, the step itself decides."""

SUPERSEDED = "superseded"
"""State of an operation whose place another one has taken."""

OFFBOARD = "offboard"
"""Kind of operation that ends a connection: no other is started any more."""

EMERGENCY = "emergency"
"""Kind of operation that replaces a secret that others may know: it waits for no other."""

RACES = 3
"""Operations that an emergency may find begun in the very moment in which it begins."""


async def start(
    ctx: Context,
    connection: str,
    kind: str,
    operation: str,
    *,
    asked_by: str,
    reason: str,
    options: tuple[str, ...] = (),
) -> Operation | None:
    """Begin an operation and queue its first step; None while another one is in flight, and for
    a connection that is being offboarded. An emergency takes the place of the one in flight.

    Safe to repeat with the same operation id, from any point of a crash: the first step's
    message is sent again and the step itself notices what is done already.
    """
    if kind != OFFBOARD and await is_leaving(ctx, connection):
        return None
    about = telemetry.Work(operation=operation, connection=connection, kind=kind)
    with telemetry.started(about, fresh=asked_by == TIMER) as trace:
        now = ctx.clock.now()
        wanted = Operation(
            id=operation,
            kind=kind,
            connection=connection,
            state="running",
            step=first_step(kind),
            started=now,
            changed=now,
            asked_by=asked_by,
            reason=reason,
            options=options,
            trace=trace,
        )
        # Due first: should the process die before it sends, the sweep finds the operation.
        await ctx.ledger.set_due(RESUME, connection, now + RESUME_AFTER)
        if not await _begin(ctx, wanted):
            await _keep_watch(ctx, connection)
            return None
        known = await ctx.ledger.operation(connection, operation) or wanted
        if known.state == "running":
            await _send_first(ctx, known, now)
        return known


async def _send_first(ctx: Context, begun: Operation, now: datetime) -> None:
    name, kind = begun.connection, begun.kind
    message = StepMessage(kind=kind, connection=name, operation=begun.id)
    try:
        with telemetry.continuing(begun.trace):
            await ctx.outbox.send(begun.step, message)
    except StepError:
        # Seen by the next sweep, and by whoever repeats the request: nothing was queued.
        await ctx.ledger.set_due(RESUME, name, now)
        raise
    with telemetry.bound(connection=name, operation=begun.id):
        telemetry.event("operation.started", kind=kind)
    if kind == EMERGENCY:
        await _end_others_soon(ctx, begun)


async def _begin(ctx: Context, wanted: Operation) -> bool:
    if wanted.kind == OFFBOARD:
        return await ctx.ledger.begin(wanted, leaving=leaving(wanted))
    if wanted.kind != EMERGENCY:
        return await ctx.ledger.begin(wanted)
    for _ in range(RACES):
        flight = await in_flight(ctx, wanted.connection)
        if flight is not None and flight.kind == OFFBOARD:
            return False
        if await ctx.ledger.begin(wanted, instead_of=flight.id if flight else ""):
            return True
    return False


async def in_flight(ctx: Context, connection: str) -> Operation | None:
    """The operation that is running."""
    row = await ctx.ledger.connection(connection)
    found = await ctx.ledger.operation(connection, row.operation) if row else None
    return found if found is not None and found.state == "running" else None


async def _end_others_soon(ctx: Context, begun: Operation) -> None:
    """At the start of an emergency; what cannot be done now is done when it finishes."""
    try:
        await _end_others(ctx, begun)
    except StepError as error:
        telemetry.event("operation.not-superseded", by=begun.id, why=error.message)


async def _end_others(ctx: Context, begun: Operation) -> None:
    """Those that had to give way: one whose message was lost would seem to run for ever."""
    for other in await ctx.ledger.operations(begun.connection):
        if other.state == "running" and other.id != begun.id:
            await supersede(ctx, other)


async def supersede(ctx: Context, operation: Operation) -> None:
    """End an operation whose place another one has taken; what it left is that one's to mend."""
    for _ in range(RACES):  # a delivery of it may bring it to another step meanwhile
        known = await ctx.ledger.operation(operation.connection, operation.id)
        if known is None or known.state != "running":
            return
        await finish(ctx, known, SUPERSEDED, {})


async def moved_on(ctx: Context, known: Operation) -> bool:
    """Whether another delivery has ended it, or brought it to another step, since it was read."""
    present = await ctx.ledger.operation(known.connection, known.id)
    return present is not None and (present.state, present.step) != (known.state, known.step)


async def tidy(ctx: Context, connection: Connection, operation: Operation) -> None:
    """What a crash at its end left of an operation whose message comes again."""
    if operation.state != "running" and connection.operation == operation.id:
        await ctx.ledger.set_due(RESUME, operation.connection, None)


async def is_leaving(ctx: Context, connection: str) -> bool:
    """Whether its offboarding has begun, or is over."""
    row = await ctx.ledger.connection(connection)
    return row is not None and row.offboarding is not None


def leaving(begun: Operation) -> Offboarding:
    """That it can only be offboarded from now on, with who asked for that and why."""
    return Offboarding(by=begun.asked_by, reason=begun.reason, asked=begun.started)


async def _keep_watch(ctx: Context, connection: str) -> None:
    """The rescue of the operation in flight stays due when it was: asking puts nothing off."""
    flight = await in_flight(ctx, connection)
    due = flight.changed + RESUME_AFTER if flight is not None else None
    await ctx.ledger.set_due(RESUME, connection, due)


async def unsent(ctx: Context, operation: Operation) -> bool:
    """Whether its first message could not be queued, and nothing has moved since."""
    if operation.changed != operation.started:
        return False
    due = (await ctx.ledger.due_times(operation.connection)).get(RESUME)
    return due is not None and due <= ctx.clock.now()


async def resume(ctx: Context, connection: str, now: datetime) -> bool:
    """Send the present step's message of a stuck operation again; False when none is stuck."""
    flight = await in_flight(ctx, connection)
    if flight is None:
        await ctx.ledger.set_due(RESUME, connection, None)
        return False
    await ctx.ledger.set_due(RESUME, connection, now + RESUME_AFTER)
    moved = flight.changed != flight.started
    if moved and now - flight.changed < RESUME_AFTER:
        return False
    message = StepMessage(kind=flight.kind, connection=connection, operation=flight.id)
    with (
        telemetry.continuing(flight.trace or telemetry.trace_of(flight.id)),
        telemetry.bound(connection=connection, operation=flight.id),
    ):
        await ctx.outbox.send(flight.step, message)
        telemetry.event("operation.resumed")
    return True


async def finish(ctx: Context, operation: Operation, state: str, data: dict[str, str]) -> None:
    """Tell the world, then store the final state, so that a redelivery tells it again.

    Nothing is done when it has ended, or gone on to another step, since *operation* was read.
    """
    if await moved_on(ctx, operation):
        return
    now = ctx.clock.now()
    if operation.kind == EMERGENCY and state != SUPERSEDED:
        await _end_others(ctx, operation)
    await ctx.outbox.publish(
        announcement(
            f"operation.{state}",
            id_=f"{operation.id}:{state}",
            connection=operation.connection,
            at=now,
            data={"operation": operation.id, "kind": operation.kind, **data},
        )
    )
    ended = msgspec.structs.replace(operation, state=state, changed=now)
    if not await ctx.ledger.advance(ended, known=operation):
        return
    row = await ctx.ledger.connection(operation.connection)
    if row is None or row.operation == operation.id:
        # The rescue of another one that has taken its place stays due. Its own stays due until
        # the state is stored; the sweep takes it off the index should the process die here.
        await ctx.ledger.set_due(RESUME, operation.connection, None)
    code = data.get("reason", "")
    telemetry.ended(operation.kind, state, code, (now - operation.started).total_seconds())
    with telemetry.bound(connection=operation.connection, operation=operation.id):
        telemetry.event(f"operation.{state}", kind=operation.kind, code=code)
