"""Runs a step for a message: gathers, runs, sends what follows, turns errors into outcomes."""

import hashlib
from contextlib import suppress
from datetime import timedelta

import msgspec

from shared import telemetry
from shared.context import Context
from shared.errors import NeedsHuman, StepError, TryLater
from shared.messages import (
    BUSY,
    StepMessage,
    decode,
    exhausted,
    given_up,
    postponed,
    step_after,
    trouble,
    waited,
)
from shared.model.connection import Condition, Connection, Operation, Status
from shared.operations import OFFBOARD, finish, moved_on, start, supersede, tidy
from shared.profile import Profile, catalogue
from shared.step import Handler, Step, Work

NEW = telemetry.Arrival()
"""A message of which nothing is known but its body."""

SHORTEST = timedelta(seconds=0.2)
"""However fast the pace, a step that fails at once must not spin."""

SLACKENS = 0.1
"""What has been waited for long is looked for less often: each wait is this share of the time
waited at least."""


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """A message, and the rows that it is about."""

    step: Step
    message: StepMessage
    connection: Connection
    operation: Operation
    ctx: Context

    @property
    def stale(self) -> bool:
        """Whether the operation is over, replaced, or past this step."""
        return (
            self.operation.state != "running"
            or self.connection.operation != self.operation.id
            or self.operation.step != self.step.name
        )

    @property
    def overtaken(self) -> bool:
        """Whether the connection is being offboarded, or is: nothing else is done for it."""
        leaving = self.connection.offboarding is not None
        return leaving and self.operation.kind != OFFBOARD and self.operation.state == "running"

    @property
    def replaced(self) -> bool:
        """Whether its place is another's, and it could not be ended: an emergency, or its name was
        offboarded and taken up anew."""
        return self.operation.state == "running" and self.connection.operation != self.operation.id

    @property
    def handed_on(self) -> bool:
        """Whether this step is done, and its successor's message perhaps not sent."""
        following = step_after(self.message.kind, self.step.name)
        return self.operation.state == "running" and self.operation.step == following


async def run(
    step: Step, body: bytes, message_id: str, ctx: Context, arrival: telemetry.Arrival = NEW
) -> None:
    """Handle one message. Returning settles it; raising means a bug, and redelivery."""
    if step.entrance is not None:
        with telemetry.taken(step.name, arrival):
            await step.entrance(body, message_id, ctx)
        return
    try:
        message = decode(body)
    except msgspec.DecodeError:
        with telemetry.taken(step.name, arrival):
            raise  # counted, as every delivery that fails
    about = telemetry.Work(
        operation=message.operation, connection=message.connection, kind=message.kind
    )
    trace = arrival.trace or await _trace(message, ctx)
    with telemetry.delivered(
        step.name, about, arrival, attempt=message.attempt, trace=trace
    ) as outcome:
        try:
            await _handle(step, message, ctx, outcome)
        except TryLater as reason:
            # Of our own bookkeeping; a few quick redeliveries would not outlast an outage.
            if exhausted(message, reason, ctx.clock.now()):
                raise
            outcome.note("postponed", reason.code)
            await _send_again(step, message, reason, ctx)


async def _trace(message: StepMessage, ctx: Context) -> str:
    """For a message of a version that sends none along."""
    if not telemetry.recording():
        return ""
    with suppress(StepError):  # who needs the ledger will come upon it
        known = await ctx.ledger.operation(message.connection, message.operation)
        if known is not None and known.trace:
            return known.trace
    return telemetry.trace_of(message.operation)


async def _handle(
    step: Step, message: StepMessage, ctx: Context, outcome: telemetry.Outcome
) -> None:
    delivery = await gather(step, message, ctx)
    if delivery is None:
        raise LookupError(f"no row for {message.connection}, operation {message.operation}")
    if delivery.overtaken or delivery.replaced:
        outcome.note("dropped", "superseded")
        await supersede(ctx, delivery.operation)
    elif delivery.handed_on:
        outcome.note("dropped", "handed-on")
        await _send_on(delivery)
    elif delivery.stale:
        outcome.note("dropped", "stale")
        telemetry.event("message.dropped", why="stale", state=delivery.operation.state)
        await tidy(ctx, delivery.connection, delivery.operation)
    elif step.work is not None:
        await _attempt(delivery, step.work, outcome)


async def gather(step: Step, message: StepMessage, ctx: Context) -> Delivery | None:
    connection = await ctx.ledger.connection(message.connection)
    operation = await ctx.ledger.operation(message.connection, message.operation)
    if connection is None or operation is None:
        return None
    return Delivery(step=step, message=message, connection=connection, operation=operation, ctx=ctx)


async def _attempt(delivery: Delivery, handler: Handler, outcome: telemetry.Outcome) -> None:
    ctx = delivery.ctx
    now = ctx.clock.now()
    try:
        async with ctx.ledger.turn(delivery.message.connection) as turn:
            work = Work(
                message=delivery.message,
                connection=delivery.connection,
                operation=delivery.operation,
                profile=_profile(delivery.connection.spec.profile),
                turn=turn,
                ctx=ctx,
                now=now,
            )
            with telemetry.collecting_writes():
                done = await handler(work)
    except TryLater as reason:
        if exhausted(delivery.message, reason, now):
            outcome.note("stopped", reason.code)
            concluded = await stop(delivery, given_up(delivery.message, reason, now))
        else:
            outcome.note("postponed", reason.code)
            concluded = await _wait(delivery, reason)
    except NeedsHuman as problem:
        outcome.note("stopped", problem.code)
        concluded = await stop(delivery, problem)
    else:
        outcome.note("done", done.reason if done else "")
        concluded = done is None or await _conclude(
            delivery, Status.TRUE, done.reason, done.message
        )
        if concluded:
            await _go_on(delivery, outcome)
    if not concluded:
        # Another delivery of this message came to a conclusion meanwhile: again from the rows.
        await _handle(delivery.step, delivery.message, ctx, outcome)


def _profile(name: str) -> Profile:
    profile = catalogue().get(name)
    if profile is None:
        raise NeedsHuman(
            "PROFILE_UNKNOWN",
            f"There is no profile {name} any more.",
            "Deploy a version that has it, then send the same request again.",
        )
    return profile


async def _go_on(delivery: Delivery, outcome: telemetry.Outcome) -> None:
    """Note the progress, then send the next message; a redelivery in between sends it again."""
    following = step_after(delivery.message.kind, delivery.step.name)
    if following is None:
        await finish(delivery.ctx, delivery.operation, "succeeded", {})
        return
    now = delivery.ctx.clock.now()
    known = delivery.operation
    onward = msgspec.structs.replace(known, step=following, changed=now)
    if await delivery.ctx.ledger.advance(onward, known=known):
        await _send_on(delivery)
    else:
        # Another delivery of this message was faster; it may have died before it sent the next.
        await _handle(delivery.step, delivery.message, delivery.ctx, outcome)


async def _send_on(delivery: Delivery) -> None:
    following = step_after(delivery.message.kind, delivery.step.name)
    if following is None:
        return
    known = delivery.message
    fresh = StepMessage(kind=known.kind, connection=known.connection, operation=known.operation)
    await delivery.ctx.outbox.send(following, fresh)
    telemetry.event("step.finished", next=following)


async def _wait(delivery: Delivery, reason: TryLater) -> bool:
    """Send the message again for later; False when another delivery concluded meanwhile."""
    tells = reason.code != BUSY and not _holds(delivery)
    if (tells or reason.moved) and await moved_on(delivery.ctx, delivery.operation):
        return True
    if tells and not await _conclude(delivery, Status.UNKNOWN, reason.code, reason.message):
        return False
    if reason.moved:
        # Or the rescue of stuck operations would send a second message to work beside this one.
        known = delivery.operation
        moved = msgspec.structs.replace(known, changed=delivery.ctx.clock.now())
        if not await delivery.ctx.ledger.advance(moved, known=known):
            return True
    await _send_again(delivery.step, delivery.message, reason, delivery.ctx)
    return True


async def _send_again(step: Step, message: StepMessage, reason: TryLater, ctx: Context) -> None:
    """Send the same message again for later; waiting is never a sleep."""
    now = ctx.clock.now()
    again = postponed(message, reason, now)
    after = reason.after
    if not reason.exact:
        after = max(after * ctx.pace, SHORTEST, waited(message, reason.code, now) * SLACKENS)
    await ctx.outbox.send(step.name, again, at=now + after)
    telemetry.event("step.postponed", reason=reason.code, why=reason.message, attempt=again.attempt)


def _holds(delivery: Delivery) -> bool:
    """Whether the step's condition is true: a routine check that waits does not change that."""
    known = delivery.step.aspect and delivery.connection.condition(delivery.step.aspect)
    return bool(known and known.status == Status.TRUE)


async def stop(delivery: Delivery, problem: NeedsHuman) -> bool:
    """Record what a person must do; the operation ends here and can be started again.

    False when another delivery of the message came to a conclusion meanwhile: nothing is done.
    """
    if await moved_on(delivery.ctx, delivery.operation):
        return True  # another delivery of this message got further
    told = problem.code, problem.message, problem.remedy
    if not await _conclude(delivery, Status.FALSE, *told):
        return False
    data = {"step": delivery.step.name, **trouble(problem)}
    ctx, operation = delivery.ctx, delivery.operation
    await ctx.ledger.record(
        operation.connection,
        ctx.clock.now(),
        "operation.stopped",
        {"operation": operation.id, **data},
    )
    await finish(ctx, operation, "needs-attention", data)
    await _approved_meanwhile(delivery)
    return True


async def _approved_meanwhile(delivery: Delivery) -> None:
    """An approval that came while the step was stopping found nothing that waited for it."""
    ctx, operation = delivery.ctx, delivery.operation
    now_known = await ctx.ledger.connection(operation.connection)
    given = now_known.approval if now_known else None
    if given is not None and given != delivery.connection.approval:
        again = hashlib.sha256(f"{operation.id} approved".encode()).hexdigest()[:32]
        await start(
            ctx, operation.connection, operation.kind, again, asked_by=given.by, reason="approved"
        )


async def _conclude(
    delivery: Delivery, status: Status, reason: str, message: str, remedy: str = ""
) -> bool:
    aspect = delivery.step.aspect
    if aspect is None:
        return True
    known = delivery.connection.condition(aspect)
    since = known.since if known and known.status == status else delivery.ctx.clock.now()
    fresh = Condition(aspect, status, reason, message, since, remedy)
    if fresh == known:
        return True
    name = delivery.operation.connection
    return await delivery.ctx.ledger.conclude(name, fresh, known=known)
