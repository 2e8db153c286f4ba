"""Takes messages as the host hands them over; what it says of them is told, too."""

from datetime import UTC, datetime

import azure.functions as func

from functions import steps
from shared import bootstrap, telemetry
from shared.burial import bury
from shared.runtime import run


async def take(queue: str, message: func.ServiceBusMessage) -> None:
    """One delivery to a step."""
    ctx = await bootstrap.context()
    telemetry.aged(queue, _utc(message.enqueued_time_utc), ctx.clock.now())
    body, arrival = message.get_body(), _arrival(message)
    await run(steps.declared(queue), body, arrival.message_id, ctx, arrival)


async def take_dead(queue: str, message: func.ServiceBusMessage) -> None:
    """One message of a dead-letter queue."""
    ctx = await bootstrap.context()
    properties = message.application_properties or {}
    why = str(properties.get("DeadLetterReason") or "unknown")
    body, arrival = message.get_body(), _arrival(message)
    with telemetry.buried(queue, arrival, why):
        await bury(steps.declared(queue), body, arrival.message_id, why, ctx)


def _arrival(message: func.ServiceBusMessage) -> telemetry.Arrival:
    return telemetry.Arrival(
        message_id=message.message_id,
        trace=telemetry.trace_in(message.application_properties),
        delivery=message.delivery_count or 1,
    )


def _utc(time: datetime | None) -> datetime | None:
    """The host sends it without its time zone."""
    return time.replace(tzinfo=UTC) if time and time.tzinfo is None else time
