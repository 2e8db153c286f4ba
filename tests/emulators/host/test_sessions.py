"""Concurrency and settlement options, inside one event loop with the broker."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import azure.functions as func
import pytest
from azure.servicebus import ServiceBusMessage
from azure.servicebus.aio import ServiceBusClient

from emulators.host.host import serving
from emulators.servicebus.server import Server
from emulators.servicebus.server import serving as broker
from tests.emulators.host.broker import queue


class Work:
    """A function that counts how many of it run at once, and waits to be let go."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.most = self.now = 0
        self.gates: dict[str, asyncio.Event] = {}

    async def __call__(self, message: func.ServiceBusMessage) -> None:
        self.begun.append(message.get_body().decode())
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await self.gate(message.get_body().decode()).wait()
        finally:
            self.now -= 1

    def gate(self, name: str) -> asyncio.Event:
        return self.gates.setdefault(name, asyncio.Event())


async def reached(probe: Callable[[], object], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not probe():
        assert time.monotonic() < deadline, "waited in vain"
        await asyncio.sleep(0.01)


@asynccontextmanager
async def world(work: Work, options: dict[str, Any], *, sessions: bool) -> AsyncIterator[Server]:
    app = func.FunctionApp()

    @app.service_bus_queue_trigger(
        arg_name="message",
        queue_name="work",
        connection="Bus",
        is_sessions_enabled=sessions,
        data_type=func.DataType.BINARY,
    )
    async def handle(message: func.ServiceBusMessage) -> None:
        await work(message)

    namespace = {"Name": "sbemulatorns", "Queues": [queue("work", sessions=sessions)], "Topics": []}
    config = {"UserConfig": {"Namespaces": [namespace], "Logging": {"Type": "Console"}}}
    document = {"version": "2.0", "extensions": {"serviceBus": options}}
    async with broker(config) as bus:
        settings = {"Bus": bus.connection_string}
        async with serving(app, settings, host_json_document=document):
            yield bus


async def send(bus: Server, *bodies: str, sessions: bool = False) -> None:
    async with (
        ServiceBusClient.from_connection_string(bus.connection_string) as client,
        client.get_queue_sender("work") as sender,
    ):
        for body in bodies:
            await sender.send_messages(
                ServiceBusMessage(body, session_id=body[0] if sessions else None)
            )


async def left(bus: Server) -> int:
    async with (
        ServiceBusClient.from_connection_string(bus.connection_string) as client,
        client.get_queue_receiver("work") as receiver,
    ):
        return len(await receiver.peek_messages(max_message_count=10))


@pytest.mark.parametrize("sessions", [False, True])
async def test_no_more_at_once_than_allowed(sessions: bool) -> None:  # noqa: FBT001 - a parameter
    work = Work()
    options = {"maxConcurrentCalls": 2, "maxConcurrentSessions": 2}
    async with world(work, options, sessions=sessions) as bus:
        await send(bus, "a", "b", "c", sessions=sessions)
        await reached(lambda: work.now == 2)
        third = ({"a", "b", "c"} - set(work.begun)).pop()
        work.gate(work.begun[0]).set()
        await reached(lambda: third in work.begun)
        for name in "abc":
            work.gate(name).set()
        await reached(lambda: work.now == 0)
    assert work.most == 2
    assert Counter(work.begun) == Counter("abc")


async def test_more_sessions_than_places_at_rest_are_served_at_once() -> None:
    work = Work()
    async with world(work, {"maxConcurrentSessions": 5}, sessions=True) as bus:
        await send(bus, *"abcde", sessions=True)
        await reached(lambda: work.now == 5)
        for name in "abcde":
            work.gate(name).set()
        await reached(lambda: work.now == 0)


async def test_idle_session_gives_way_when_others_wait() -> None:
    work = Work()
    options = {"maxConcurrentSessions": 1, "sessionIdleTimeout": "00:05:00"}
    async with world(work, options, sessions=True) as bus:
        for name in ("a", "b"):
            work.gate(name).set()
        await send(bus, "a", sessions=True)
        await reached(lambda: "a" in work.begun)
        await send(bus, "b", sessions=True)
        await reached(lambda: "b" in work.begun)


async def test_without_auto_complete_nothing_is_completed() -> None:
    work = Work()
    async with world(work, {"autoCompleteMessages": False}, sessions=False) as bus:
        await send(bus, "a")
        work.gate("a").set()
        await reached(lambda: work.begun and not work.now)
        assert await left(bus) == 1


async def test_prefetched_messages_are_worked_on() -> None:
    work = Work()
    async with world(work, {"prefetchCount": 5, "maxConcurrentCalls": 1}, sessions=False) as bus:
        for name in "abc":
            work.gate(name).set()
        await send(bus, *"abc")
        await reached(lambda: len(work.begun) == 3)
    assert (work.begun, work.most) == (["a", "b", "c"], 1)
