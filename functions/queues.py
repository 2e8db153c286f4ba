"""One Service Bus trigger per step, and one that watches its dead-letter queue."""

from collections.abc import Iterator

import azure.functions as func

from functions import steps
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
        from functions.deliveries import take  # indexing does without

        await take(queue, message)

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
        from functions.deliveries import take_dead

        await take_dead(queue, message)

    return blueprint
