"""What the scenarios share: the registry, and receiving until enough has come."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from azure.servicebus import ServiceBusMessage
from azure.servicebus.aio import ServiceBusClient

Scenario = Callable[[ServiceBusClient], Awaitable[None]]
SCENARIOS: dict[str, Scenario] = {}

FAST = {"retry_total": 1, "retry_backoff_factor": 0.1}
"""MessageNotFoundError and SessionCannotBeLockedError are retried by the SDK."""


def scenario(function: Scenario) -> Scenario:
    """Register a scenario; all of them run at once against one server."""
    SCENARIOS[function.__name__] = function
    return function


@asynccontextmanager
async def pair(client: ServiceBusClient, queue: str, **options: Any) -> AsyncIterator[Any]:
    """Open a sender and a receiver at the same time: each costs the SDK half a second."""
    sender = client.get_queue_sender(queue)
    receiver = client.get_queue_receiver(queue, **options)
    await asyncio.gather(sender.__aenter__(), receiver.__aenter__())
    try:
        yield sender, receiver
    finally:
        await asyncio.gather(sender.close(), receiver.close())


async def take(receiver: Any, count: int, within: float = 15) -> list[Any]:
    """Receive exactly *count* messages."""
    found: list[Any] = []
    deadline = time.monotonic() + within
    while len(found) < count and time.monotonic() < deadline:
        found += await receiver.receive_messages(count - len(found), max_wait_time=1)
    assert len(found) == count
    return found


async def send(client: ServiceBusClient, queue: str, *messages: ServiceBusMessage) -> None:
    """Send through a sender of its own."""
    async with client.get_queue_sender(queue) as sender:
        await sender.send_messages(list(messages))


async def eventually(condition: Callable[[], Awaitable[bool]], within: float = 15) -> None:
    """Wait until the condition holds."""
    deadline = time.monotonic() + within
    while not await condition():
        if time.monotonic() > deadline:
            pytest.fail("the condition did not come true in time")
        await asyncio.sleep(0.02)


async def left(receiver: Any) -> list[Any]:
    """Answer what the queue holds; the SDK would else start behind what it has received."""
    return list(await receiver.peek_messages(10, sequence_number=1))


def body(message: Any) -> bytes:
    return b"".join(message.body)
