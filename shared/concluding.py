"""What a delivery comes to: it waits, it stops for a person, or its step's condition is told.

A queue may give one message to two processes. Whoever concludes does so on what it has read: when
another one has concluded meanwhile nothing is done, and the message is looked at again.
"""

import hashlib
from datetime import timedelta

import msgspec

from shared import telemetry
from shared.context import Context
from shared.delivery import Delivery
from shared.errors import NeedsHuman, TryLater
from shared.messages import BUSY, StepMessage, postponed, trouble, waited
from shared.model.connection import Condition, Status
from shared.operations import finish, moved_on, start
from shared.step import Step

SHORTEST = timedelta(seconds=0.2)
"""However fast the pace, a step that fails at once must not spin."""

SLACKENS = 0.1
"""What has been waited for long is looked for less often: each wait is this share of the time
waited at least."""


async def wait(delivery: Delivery, reason: TryLater) -> bool:
    """Send the message again for later; False when another delivery concluded meanwhile."""
    tells = reason.code != BUSY and not _holds(delivery)
    if (tells or reason.moved) and await moved_on(delivery.ctx, delivery.operation):
        return True
    if tells and not await conclude(delivery, Status.UNKNOWN, reason.code, reason.message):
        return False
    if reason.moved:
        # Or the rescue of stuck operations would send a second message to work beside this one.
        known = delivery.operation
        moved = msgspec.structs.replace(known, changed=delivery.ctx.clock.now())
        if not await delivery.ctx.ledger.advance(moved, known=known):
            return True
    await send_again(delivery.step, delivery.message, reason, delivery.ctx)
    return True


async def send_again(step: Step, message: StepMessage, reason: TryLater, ctx: Context) -> None:
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
    if not await conclude(delivery, Status.FALSE, *told):
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


async def conclude(
    delivery: Delivery, status: Status, reason: str, message: str, remedy: str = ""
) -> bool:
    """Tell the step's condition; False when another delivery has told it otherwise meanwhile."""
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
