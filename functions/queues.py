"""One Service Bus trigger per step, derived from the table of steps."""

from collections.abc import Iterator

import azure.functions as func

from shared import bootstrap, runtime
from shared.step import STEPS, Step


def blueprints() -> Iterator[func.Blueprint]:
    return (_trigger(step) for step in STEPS.values())


def _trigger(step: Step) -> func.Blueprint:
    blueprint = func.Blueprint()

    @blueprint.function_name(name=step.name.replace("-", "_"))
    @blueprint.service_bus_queue_trigger(
        arg_name="message",
        queue_name=step.name,
        connection="ServiceBus",
        # As text, the body's properties would overwrite the message's metadata.
        data_type=func.DataType.BINARY,
        is_sessions_enabled=step.session,
    )
    async def handle(message: func.ServiceBusMessage) -> None:
        ctx = await bootstrap.context()
        await runtime.run(step, message.get_body(), message.message_id, ctx)

    return blueprint
