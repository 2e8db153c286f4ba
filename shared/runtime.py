"""Runs a step for a message: gathers, runs, sends what follows, turns errors into outcomes."""

from contextlib import suppress
from datetime import datetime

import msgspec

from shared import telemetry
from shared.concluding import conclude, send_again, stop, wait
from shared.context import Context
from shared.delivery import Delivery, gather
from shared.errors import NeedsHuman, StepError, TryLater
from shared.messages import StepMessage, decode, exhausted, given_up, step_after
from shared.model.connection import Status
from shared.operations import finish, supersede, tidy
from shared.ports import Turn
from shared.profile import Profile, catalogue
from shared.step import Done, Handler, Step, Work

NEW = telemetry.Arrival()
"""A message of which nothing is known but its body."""


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
            await send_again(step, message, reason, ctx)


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


async def _attempt(delivery: Delivery, handler: Handler, outcome: telemetry.Outcome) -> None:
    ctx = delivery.ctx
    now = ctx.clock.now()
    concluded = False
    try:
        async with ctx.ledger.turn(delivery.message.connection) as turn:
            # Whoever had the turn before may have ended all of it since the rows were read.
            delivery = await gather(delivery.step, delivery.message, ctx) or delivery
            done = None if delivery.moved_on else await _work(delivery, handler, turn, now)
    except TryLater as reason:
        if exhausted(delivery.message, reason, now):
            outcome.note("stopped", reason.code)
            concluded = await stop(delivery, given_up(delivery.message, reason, now))
        else:
            outcome.note("postponed", reason.code)
            concluded = await wait(delivery, reason)
    except NeedsHuman as problem:
        outcome.note("stopped", problem.code)
        concluded = await stop(delivery, problem)
    else:
        if not delivery.moved_on:
            outcome.note("done", done.reason if done else "")
            concluded = await _concluded(delivery, done)
        if concluded:
            await _go_on(delivery, outcome)
    if not concluded:
        # Another delivery of this message came to a conclusion meanwhile: again from the rows.
        await _handle(delivery.step, delivery.message, ctx, outcome)


async def _work(delivery: Delivery, handler: Handler, turn: Turn, now: datetime) -> Done | None:
    work = Work(
        message=delivery.message,
        connection=delivery.connection,
        operation=delivery.operation,
        profile=_profile(delivery.connection.spec.profile),
        turn=turn,
        ctx=delivery.ctx,
        now=now,
    )
    with telemetry.collecting_writes():
        return await handler(work)


async def _concluded(delivery: Delivery, done: Done | None) -> bool:
    return done is None or await conclude(delivery, Status.TRUE, done.reason, done.message)


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
