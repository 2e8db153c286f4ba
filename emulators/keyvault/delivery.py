"""Delivers the vault's events into a Service Bus queue, as an Event Grid subscription would."""

from azure.servicebus import ServiceBusMessage
from azure.servicebus.aio import ServiceBusClient

from emulators.keyvault.event import Event

TIMEOUT = 10
"""Seconds to wait for the broker before the event is kept for the next try."""


class QueueSender:
    """Connects for each event: they are rare, and a broker that restarts leaves no dead link."""

    def __init__(self, connection: str, queue: str) -> None:
        self._connection = connection
        self._queue = queue

    async def send(self, event: Event) -> None:
        """Send with the properties that Event Grid puts on messages to Service Bus."""
        message = ServiceBusMessage(
            event.body,
            message_id=event.id,
            content_type=event.content_type,
            application_properties={
                "aeg-subscription-name": "LOCAL",
                "aeg-delivery-count": "0",
                "aeg-data-version": "1",
                "aeg-metadata-version": "1",
                "aeg-event-type": "Notification",
                "aeg-output-event-id": event.id,
            },
        )
        # The vault has its own, endless, retries.
        async with (
            ServiceBusClient.from_connection_string(self._connection, retry_total=0) as client,
            client.get_queue_sender(self._queue) as sender,
        ):
            await sender.send_messages(message, timeout=TIMEOUT)

    async def close(self) -> None:
        """Nothing is kept open."""
