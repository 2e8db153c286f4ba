"""Runs a step for a message: gathers, runs, sends what follows, turns errors into outcomes."""

from datetime import datetime, timedelta

import msgspec

from shared import telemetry
from shared.context import Context
from shared.errors import NeedsHuman, TryLater
from shared.messages import StepMessage, decode, step_after, trouble
from shared.model.connection import Condition, Connection, Operation, Status
from shared.operations import finish
from shared.profile import catalogue
from shared.step import Done, Step, Work

BUSY = "BUSY"
"""Another step has the connection's turn, or its last write is too recent: no condition."""


async def run(step: Step, body: bytes, message_id: str, ctx: Context) -> None:
    """Handle one message. Returning settles it; raising means a bug, and redelivery."""
    if step.entrance is not None:
        await step.entrance(body, message_id, ctx)
        return
    message = decode(body)
    with telemetry.bound(
        connection=message.connection, operation=message.operation, step=step.name
    ):
        connection = await ctx.ledger.connection(message.connection)
        operation = await ctx.ledger.operation(message.connection, message.operation)
        if connection is None or operation is None:
            raise LookupError(f"no row for {message.connection}, operation {message.operation}")
        if _is_stale(step, operation, connection):
            telemetry.event("message.dropped", why="stale", state=operation.state)
            return
        await _attempt(step, message, connection, operation, ctx)


def _is_stale(step: Step, operation: Operation, connection: Connection) -> bool:
    """Whether the operation is over, replaced, or past this step: then its successor was sent."""
    return (
        operation.state != "running"
        or connection.operation != operation.id
        or operation.step != step.name
    )


async def _attempt(
    step: Step, message: StepMessage, connection: Connection, operation: Operation, ctx: Context
) -> None:
    assert step.work is not None  # noqa: S101 - a step without work is an entrance, handled above
    now = ctx.clock.now()
    try:
        async with ctx.ledger.turn(message.connection) as turn:
            work = Work(
                message=message,
                connection=connection,
                profile=catalogue()[connection.spec.profile],
                turn=turn,
                ctx=ctx,
                now=now,
            )
            done = await step.work(work)
    except TryLater as reason:
        since = message.waiting_since or now
        if now - since > reason.limit:
            await _stop(step, connection, operation, _given_up(reason, now - since), ctx)
        else:
            await _wait(step, message, connection, reason, since, ctx)
    except NeedsHuman as problem:
        await _stop(step, connection, operation, problem, ctx)
    else:
        await _go_on(step, message, connection, operation, done, ctx)


async def _go_on(
    step: Step,
    message: StepMessage,
    connection: Connection,
    operation: Operation,
    done: Done,
    ctx: Context,
) -> None:
    """Send the next step's message before noting the progress: a crash repeats, never loses."""
    await _conclude(step, connection, Status.TRUE, done.reason, done.message, "", ctx)
    following = step_after(message.kind, step.name)
    if following is None:
        await finish(ctx, operation, "succeeded", {})
        return
    await ctx.outbox.send(
        following, msgspec.structs.replace(message, attempt=1, waiting_since=None)
    )
    await ctx.ledger.advance(
        msgspec.structs.replace(operation, step=following, changed=ctx.clock.now())
    )
    telemetry.event("step.finished", reason=done.reason, next=following)


async def _wait(
    step: Step,
    message: StepMessage,
    connection: Connection,
    reason: TryLater,
    since: datetime,
    ctx: Context,
) -> None:
    if reason.code != BUSY:
        known = step.aspect and connection.condition(step.aspect)
        if not (known and known.status == Status.TRUE):  # a routine check keeps what held
            await _conclude(step, connection, Status.UNKNOWN, reason.code, reason.message, "", ctx)
    again = msgspec.structs.replace(message, attempt=message.attempt + 1, waiting_since=since)
    await ctx.outbox.send(step.name, again, at=ctx.clock.now() + reason.after)
    telemetry.event("step.postponed", reason=reason.code, why=reason.message, attempt=again.attempt)


def _given_up(reason: TryLater, waited: timedelta) -> NeedsHuman:
    minutes = round(waited.total_seconds() / 60)
    return NeedsHuman(
        reason.code,
        f"{reason.message} (gave up after {minutes} minutes)",
        "Look at the cause given; when it is gone, send the same request again to go on.",
    )


async def _stop(
    step: Step, connection: Connection, operation: Operation, problem: NeedsHuman, ctx: Context
) -> None:
    """Record what a person must do; the operation ends here and can be started again."""
    await _conclude(
        step, connection, Status.FALSE, problem.code, problem.message, problem.remedy, ctx
    )
    name = connection.spec.name
    await ctx.ledger.record(
        name,
        ctx.clock.now(),
        "operation.stopped",
        {"operation": operation.id, "step": step.name, **trouble(problem)},
    )
    await finish(ctx, operation, "needs-attention", {"step": step.name, **trouble(problem)})


async def _conclude(
    step: Step,
    connection: Connection,
    status: Status,
    reason: str,
    message: str,
    remedy: str,
    ctx: Context,
) -> None:
    if step.aspect is None:
        return
    known = connection.condition(step.aspect)
    since = known.since if known and known.status == status else ctx.clock.now()
    fresh = Condition(step.aspect, status, reason, message, since, remedy)
    if fresh != known:
        await ctx.ledger.set_condition(connection.spec.name, fresh)


async def bury(step: Step, body: bytes, message_id: str, why: str, ctx: Context) -> None:
    """Record a message that was dead-lettered: on its operation, or as a refusal."""
    problem = NeedsHuman(
        "DEAD_LETTERED",
        f"The message of step {step.name} was given up by the queue: {why}.",
        "The log has the error under this operation's id; when its cause is gone, send the same "
        "request again to go on.",
    )
    telemetry.event("message.buried", queue=step.name, message=message_id, why=why)
    try:
        message = decode(body)
    except msgspec.DecodeError:
        await ctx.outbox.set_aside(body, message_id, why)
        await ctx.ledger.refuse(
            message_id, ctx.clock.now(), {"queue": step.name, **trouble(problem)}
        )
        return
    connection = await ctx.ledger.connection(message.connection)
    operation = await ctx.ledger.operation(message.connection, message.operation)
    if connection is None or operation is None or _is_stale(step, operation, connection):
        await ctx.ledger.refuse(
            message_id, ctx.clock.now(), {"queue": step.name, **trouble(problem)}
        )
        return
    await _stop(step, connection, operation, problem, ctx)
