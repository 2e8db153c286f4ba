"""What becomes of dead-lettered messages: each is recorded, none is lost or loops."""

import hashlib

import msgspec

from shared import telemetry
from shared.concluding import stop
from shared.context import Context
from shared.delivery import gather
from shared.errors import NeedsHuman, TryLater
from shared.messages import decode, trouble
from shared.step import Step

GIVEN_UP = "MaxDeliveryCountExceeded"
"""Service Bus's reason for a message whose every delivery failed."""

EXPIRED = "TTLExpiredException"
"""Its reason for a message that nobody took in its time to live."""


async def bury(step: Step, body: bytes, message_id: str, why: str, ctx: Context) -> None:
    """Record a message that was dead-lettered: on its operation, or as a refusal.

    One that merely expired is sent again: the app was down, and no step has failed.
    """
    problem = NeedsHuman(
        "DEAD_LETTERED",
        f"The message of step {step.name} was given up by the queue: {why}.",
        "The log has the error under this operation's id; when its cause is gone, send the same "
        "request again to go on.",
    )
    message_id = message_id or f"sha256-{hashlib.sha256(body).hexdigest()}"
    if why == GIVEN_UP and await _taken_after_all(step, body, message_id, ctx):
        return
    telemetry.event("message.buried", queue=step.name, message=message_id, why=why)
    try:
        delivery = await gather(step, decode(body), ctx)
    except msgspec.DecodeError:
        delivery = None
    if delivery is not None:
        known = delivery.operation
        about = {"operation": known.id, "connection": known.connection, "kind": known.kind}
        telemetry.present().set(about)
    if delivery is None or delivery.stale:
        await ctx.outbox.set_aside(body, message_id, why)
        await ctx.ledger.refuse(
            message_id, ctx.clock.now(), {"queue": step.name, **trouble(problem)}
        )
        return
    if why == EXPIRED:
        await ctx.outbox.send(step.name, delivery.message)
        return
    if not await stop(delivery, problem):
        await bury(step, body, message_id, why, ctx)  # by what is there now


async def _taken_after_all(step: Step, body: bytes, message_id: str, ctx: Context) -> bool:
    """Whether an order that was given up is taken now: nobody is refused for an outage of ours.

    `TryLater` leaves it in the dead-letter queue, which delivers it again until it is over.
    """
    if step.entrance is None:
        return False
    try:
        await step.entrance(body, message_id, ctx)
    except TryLater:
        raise
    except Exception as bug:  # noqa: BLE001 - what was wrong with it then still is
        telemetry.event("order.given-up", message=message_id, error=type(bug).__name__)
        return False
    return True
