"""Sending: queued messages for steps, events for the world.

Opening a sender costs half a second, so each is opened once and kept; after an error the SDK
opens it anew by itself.
"""

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from shared import telemetry
from shared.errors import TryLater
from shared.messages import CHAIN, Event, StepMessage, encode
from shared.settings import Settings

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.servicebus.aio import ServiceBusSender

EVENTS = "events"
PROVISIONING = "provisioning"
REFUSED = "refused"


class ServiceBusOutbox:
    """Implements ``ports.Outbox``."""

    def __init__(self, settings: Settings, credential: "AsyncTokenCredential") -> None:
        from azure.servicebus.aio import ServiceBusClient

        retries: dict[str, Any] = {
            "retry_total": 2,
            "retry_backoff_factor": 0.8 * settings.pace,
        }
        self._client = (
            ServiceBusClient.from_connection_string(settings.servicebus_connection, **retries)
            if settings.servicebus_connection
            else ServiceBusClient(settings.servicebus_namespace, credential, **retries)
        )
        self._senders: dict[str, ServiceBusSender] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def send(self, step: str, message: StepMessage, *, at: datetime | None = None) -> None:
        await self._send(
            step,
            encode(message),
            session_id=message.connection,
            message_id=f"{message.operation}:{step}:{message.attempt}",
            correlation_id=message.operation,
            subject=message.kind,
            scheduled_enqueue_time_utc=at,
        )

    async def provision(self, body: bytes, message_id: str) -> None:
        await self._send(PROVISIONING, body, message_id=message_id)

    async def publish(self, event: Event) -> None:
        await self._send(
            EVENTS,
            msgspec.json.encode(event),
            message_id=event.id,
            subject=event.type,
            content_type="application/cloudevents+json",
            application_properties={"type": event.type, "connection": event.subject},
        )

    async def set_aside(self, body: bytes, message_id: str, reason: str) -> None:
        await self._send(
            REFUSED,
            body,
            message_id=message_id,
            content_type="application/octet-stream",
            application_properties={"reason": reason[:1000]},
            time_to_live=timedelta(days=14),
        )

    async def check(self) -> None:
        """Open a link to each queue that is sent to and close it again; raises `TryLater` naming
        those that are not there, or that the identity may not send to."""
        names = (PROVISIONING, *dict.fromkeys(step for chain in CHAIN.values() for step in chain))
        found = await asyncio.gather(*(self._unreachable(name) for name in names))
        if told := [problem for problem in found if problem]:
            raise TryLater("QUEUE_UNREACHABLE", "; ".join(told))

    async def _unreachable(self, queue: str) -> str:
        from azure.core.exceptions import AzureError

        try:
            async with self._client.get_queue_sender(queue):
                return ""
        except AzureError as error:
            return f"queue {queue}: {type(error).__name__}"

    async def close(self) -> None:
        await asyncio.gather(*(sender.close() for sender in self._senders.values()))
        await self._client.close()

    async def _send(self, entity: str, body: bytes, **options: Any) -> None:
        from azure.core.exceptions import AzureError
        from azure.servicebus import ServiceBusMessage

        options.setdefault("content_type", "application/json")
        if carried := telemetry.trace_properties():
            options["application_properties"] = carried | options.get("application_properties", {})
        attributes = {
            "messaging.system": "servicebus",
            "messaging.destination.name": entity,
            "messaging.message.id": options["message_id"],
        }
        # One sender is not safe to share between tasks at once.
        async with self._locks.setdefault(entity, asyncio.Lock()):
            try:
                with telemetry.asked("send", entity, attributes):
                    sender = await self._sender(entity)
                    await sender.send_messages(ServiceBusMessage(body, **options))
            except AzureError as error:  # the SDK's own, and those of signing in
                raise TryLater(
                    "QUEUE_UNREACHABLE", f"sending to {entity}: {type(error).__name__}"
                ) from error

    async def _sender(self, entity: str) -> "ServiceBusSender":
        if entity not in self._senders:
            make = (
                self._client.get_topic_sender if entity == EVENTS else self._client.get_queue_sender
            )
            self._senders[entity] = make(entity)
        return self._senders[entity]
