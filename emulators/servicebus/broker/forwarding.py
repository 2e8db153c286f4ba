"""Messages that leave their queue: ForwardTo, and the way to a dead-letter queue."""

from typing import TYPE_CHECKING, Any

from emulators.servicebus.amqp.errors import AmqpError
from emulators.servicebus.broker.message import Message, set_application_properties

if TYPE_CHECKING:
    from emulators.servicebus.broker.queue import Queue


def forward(queue: "Queue", message: Message) -> None:
    """Hand an arriving message on; what the target refuses is a dead letter here."""
    message.enqueue_sequence = message.sequence
    message.scheduled = None
    try:
        _send(queue, queue.definition.forward_to, message)
    except AmqpError as error:
        message.sequence = message.enqueue_sequence
        bury(queue, message, "ForwardingFailed", error.description)


def bury(
    queue: "Queue",
    message: Message,
    reason: str | None,
    description: str | None,
    changes: dict[str, Any] | None = None,
) -> None:
    """Put a message that its queue has given up into the dead-letter queue, or its substitute."""
    if queue.dead_letters is None:
        return
    twin = message.duplicate()
    twin.enqueue_sequence = message.sequence
    why = {"DeadLetterReason": reason, "DeadLetterErrorDescription": description}
    set_application_properties(twin, {**(changes or {}), **why})
    if not queue.definition.forward_dead_letters_to:
        queue.dead_letters.adopt(twin)
        return
    twin.source = queue.definition.name
    twin.scheduled = None
    try:
        _send(queue, queue.definition.forward_dead_letters_to, twin)
    except AmqpError:
        queue.dead_letters.adopt(twin)


def _send(queue: "Queue", name: str, message: Message) -> None:
    target = queue.broker.find(name)
    target.check(message)
    target.send(message)
