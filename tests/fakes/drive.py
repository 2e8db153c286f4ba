"""Runs chains in memory: delivers queued messages, letting time pass between them."""

from collections.abc import Callable
from datetime import timedelta

from functions import declare_steps
from shared.runtime import run
from shared.step import STEPS
from shared.telemetry import Arrival
from tests.fakes import FakeContext
from tests.fakes.outbox import Sent

BOUND = 1000
"""Deliveries after which a chain counts as endless."""

REDELIVERIES = 10
"""Deliveries of one message that may fail before its error is the test's."""


async def drive(
    ctx: FakeContext,
    until: Callable[[Sent], bool] | None = None,
    *,
    redeliver: bool = False,
    at_most: timedelta = timedelta(days=1),
) -> list[Sent]:
    """Deliver until nothing is queued, or until *until* says so of the next message.

    Messages come in order of their time; the clock moves on to a scheduled one, but not
    further than *at_most* in all. An error of a step (a bug, or a crash that the test
    arranged) is raised, or with *redeliver* the message is delivered again, as a queue does.
    Returns the messages delivered.
    """
    declare_steps()
    delivered: list[Sent] = []
    end = ctx.clock.now() + at_most
    while (sent := ctx.outbox.take()) is not None:
        if (until is not None and until(sent)) or sent.at > end:
            ctx.outbox.queued.insert(0, sent)
            break
        if len(delivered) == BOUND:
            raise AssertionError(f"{BOUND} deliveries and no end; the next is for {sent.step}")
        ctx.clock.reach(sent.at)
        await _deliver(ctx, sent, REDELIVERIES if redeliver else 1)
        delivered.append(sent)
    return delivered


async def _deliver(ctx: FakeContext, sent: Sent, attempts: int) -> None:
    for attempt in range(1, attempts + 1):
        try:
            arrival = Arrival(message_id=sent.id, trace=sent.trace, delivery=attempt)
            await run(STEPS[sent.step], sent.body, sent.id, ctx, arrival)
        except Exception:
            if attempt == attempts:
                raise
        else:
            return
