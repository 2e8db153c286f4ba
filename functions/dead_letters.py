"""Watches every dead-letter queue, so that no message ends there unseen."""

from collections.abc import Iterator

import azure.functions as func

from shared import bootstrap, burial
from shared.step import STEPS, Step


def blueprints() -> Iterator[func.Blueprint]:
    return (_trigger(step) for step in STEPS.values())


def _trigger(step: Step) -> func.Blueprint:
    blueprint = func.Blueprint()

    @blueprint.function_name(name=f"{step.name.replace('-', '_')}_dead_letters")
    @blueprint.service_bus_queue_trigger(
        arg_name="message",
        queue_name=f"{step.name}/$DeadLetterQueue",
        connection="ServiceBus",
        data_type=func.DataType.BINARY,
    )
    async def handle(message: func.ServiceBusMessage) -> None:
        ctx = await bootstrap.context()
        properties = message.application_properties or {}
        why = str(properties.get("DeadLetterReason") or "unknown")
        await burial.bury(step, message.get_body(), message.message_id, why, ctx)

    return blueprint
