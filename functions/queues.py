"""One Service Bus trigger per step, and one that watches its dead-letter queue."""

from collections.abc import Iterator
from datetime import UTC, datetime

import azure.functions as func

from functions import steps
from shared import bootstrap, telemetry
from shared.messages import STEPS


def blueprints() -> Iterator[func.Blueprint]:
    """Of all steps. The host indexes them at each cold start: they are imported when called."""
    for queue in steps.queues():
        yield _trigger(queue)
        yield _watcher(queue)


def _trigger(queue: str) -> func.Blueprint:
    blueprint = func.Blueprint()

    @blueprint.function_name(name=queue.replace("-", "_"))
    @blueprint.service_bus_queue_trigger(
        arg_name="message",
        queue_name=queue,
        connection="ServiceBus",
        # As text, the body's properties would overwrite the message's metadata.
        data_type=func.DataType.BINARY,
        is_sessions_enabled=queue in STEPS,
    )
    async def handle(message: func.ServiceBusMessage) -> None:
        from shared.runtime import run

        ctx = await bootstrap.context()
        telemetry.aged(queue, _utc(message.enqueued_time_utc), ctx.clock.now())
        body, arrival = message.get_body(), _arrival(message)
        await run(steps.declared(queue), body, arrival.message_id, ctx, arrival)

    return blueprint


def _watcher(queue: str) -> func.Blueprint:
    """So that no message ends in the dead-letter queue unseen."""
    blueprint = func.Blueprint()

    @blueprint.function_name(name=f"{queue.replace('-', '_')}_dead_letters")
    @blueprint.service_bus_queue_trigger(
        arg_name="message",
        queue_name=f"{queue}/$DeadLetterQueue",
        connection="ServiceBus",
        data_type=func.DataType.BINARY,
    )
    async def handle(message: func.ServiceBusMessage) -> None:
        from shared.burial import bury

        ctx = await bootstrap.context()
        properties = message.application_properties or {}
        why = str(properties.get("DeadLetterReason") or "unknown")
        arrival = _arrival(message)
        with telemetry.buried(queue, arrival, why):
            await bury(steps.declared(queue), message.get_body(), arrival.message_id, why, ctx)

    return blueprint


def _arrival(message: func.ServiceBusMessage) -> telemetry.Arrival:
    return telemetry.Arrival(
        message_id=message.message_id,
        trace=telemetry.trace_in(message.application_properties),
        delivery=message.delivery_count or 1,
    )


def _utc(time: datetime | None) -> datetime | None:
    """The host sends it without its time zone."""
    return time.replace(tzinfo=UTC) if time and time.tzinfo is None else time
