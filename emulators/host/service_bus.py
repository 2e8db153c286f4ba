"""Service Bus triggers without sessions, and what both kinds of listener share."""

import asyncio
import functools
import logging
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from emulators.host.emulated_time import give_sdk_real_time
from emulators.host.errors import HostStartError
from emulators.host.function import Function
from emulators.host.listener import end
from emulators.host.settings import Connection, Settings
from emulators.host.settlement import Delivery

if TYPE_CHECKING:
    from azure.servicebus.aio import ServiceBusClient, ServiceBusReceiver

log = logging.getLogger("host.servicebus")

DEAD_LETTER = "/$deadletterqueue"
WAIT = 60.0
"""Seconds one receive call waits; the SDK blocks on the socket meanwhile."""


@dataclass(frozen=True)
class Source:
    """What a trigger listens to, with all settings resolved."""

    connection: Connection
    queue: str | None
    topic: str | None
    subscription: str | None
    sessions: bool

    @classmethod
    def of(cls, function: Function, settings: Settings) -> "Source":
        trigger = function.trigger

        def resolved(name: str) -> str | None:
            return settings.resolve(trigger[name]) if trigger.get(name) else None

        source = cls(
            connection=settings.connection(str(trigger.get("connection") or "ServiceBus")),
            queue=resolved("queueName"),
            topic=resolved("topicName"),
            subscription=resolved("subscriptionName"),
            sessions=bool(trigger.get("isSessionsEnabled")),
        )
        if not source.queue and not (source.topic and source.subscription):
            raise HostStartError(f"function {function.name}: no queue and no subscription")
        return source

    def receiver(self, client: "ServiceBusClient", **options: Any) -> "ServiceBusReceiver":
        """A receiver for the entity or, by its path, for the dead-letter queue of the entity."""
        path = self.queue or self.subscription or ""
        if path.lower().endswith(DEAD_LETTER):
            options["sub_queue"] = "deadletter"
            path = path[: -len(DEAD_LETTER)]
        if self.queue:
            return client.get_queue_receiver(path, **options)
        return client.get_subscription_receiver(str(self.topic), path, **options)


@functools.cache
def _trust() -> ssl.SSLContext:
    """One for all: the SDK reads the CA bundle for each link, which blocks the loop for 50 ms."""
    return ssl.create_default_context()


def open_client(connection: Connection, poll: float | None = None) -> "ServiceBusClient":
    """A client whose errors surface at once: the listeners back off themselves.

    *poll* is for how long the SDK waits on a socket in one go (0.2 s unless told).
    """
    options: dict[str, Any] = {
        "retry_total": 0,
        "socket_timeout": poll,
        "ssl_context": _trust(),
    }
    from azure.servicebus.aio import ServiceBusClient

    give_sdk_real_time()
    if connection.connection_string:
        try:
            return ServiceBusClient.from_connection_string(connection.connection_string, **options)
        except ValueError as error:
            raise HostStartError(f"Service Bus connection string is not valid: {error}") from error
    from azure.identity.aio import DefaultAzureCredential

    credential = DefaultAzureCredential(managed_identity_client_id=connection.client_id)
    return ServiceBusClient(str(connection.namespace), credential, **options)


class BackOff:
    """Pauses that grow while a broker is away; the outage is logged once."""

    def __init__(self, name: str) -> None:
        self._name, self._pause, self._down = name, 0.25, False

    async def failed(self, error: Exception) -> None:
        if not self._down:
            log.warning("%s: listening interrupted: %s", self._name, error)
        self._down = True
        pause, self._pause = self._pause, min(self._pause * 2, 5.0)
        await asyncio.sleep(pause)

    def works(self) -> None:
        if self._down:
            log.info("%s: listening again", self._name)
        self._pause, self._down = 0.25, False


async def close(receiver: "ServiceBusReceiver") -> None:
    """Close a receiver that may already be broken."""
    try:
        await asyncio.wait_for(receiver.close(), 10.0)
    except Exception as error:  # noqa: BLE001 - whatever a dead link raises, it is closed
        log.debug("receiver closed with %r", error)


class QueueListener:
    """One long-lived receiver; up to maxConcurrentCalls messages are worked on at once."""

    def __init__(
        self, source: Source, delivery: Delivery, client: Callable[[], "ServiceBusClient"]
    ) -> None:
        self._source, self._delivery, self._client = source, delivery, client
        self._back_off = BackOff(delivery.function.name)

    async def run(self) -> None:
        """Listen until cancelled; a broker that goes away is waited for."""
        options = self._delivery.options
        while True:
            receiver = self._source.receiver(self._client(), prefetch_count=options.prefetch_count)
            running: set[asyncio.Task[None]] = set()
            try:
                async with receiver:
                    self._back_off.works()
                    await self._receive(receiver, running)
            except asyncio.CancelledError:
                await end(*running)
                raise
            except Exception as error:  # noqa: BLE001 - any failure of the link means: open another
                await self._back_off.failed(error)
            finally:
                await close(receiver)

    async def _receive(
        self, receiver: "ServiceBusReceiver", running: set[asyncio.Task[None]]
    ) -> None:
        """Take one message at a time: asking for more makes the SDK wait 0.2 s for others."""
        slots = asyncio.Semaphore(self._delivery.options.max_concurrent_calls)

        def done(task: asyncio.Task[None]) -> None:
            running.discard(task)
            slots.release()

        while True:
            await slots.acquire()
            messages = []
            try:
                messages = await receiver.receive_messages(max_message_count=1, max_wait_time=WAIT)
            finally:
                if not messages:
                    slots.release()
            for message in messages:
                task = asyncio.create_task(self._delivery.handle(receiver, message))
                running.add(task)
                task.add_done_callback(done)
