"""`ports.Outbox` at the emulated broker with the product's own queues, through the real SDK."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from azure.servicebus import ServiceBusMessageState
from azure.servicebus.aio import ServiceBusClient

from emulators.servicebus.faults import Faults
from emulators.servicebus.server import Server, serving
from shared.adapters.servicebus import EVENTS, PROVISIONING, REFUSED, ServiceBusOutbox
from shared.errors import TryLater
from shared.messages import Event, StepMessage, decode
from shared.settings import Settings

CONFIG = Path(__file__).parents[2] / "infra" / "servicebus-emulator.json"
STEP = "credentials"
MESSAGE = StepMessage(kind="rotate", connection="dvls-prod", operation="op-1", attempt=3)
EVENT = Event(
    id="op-1:report",
    type="keyturn.connection.reported",
    source="/keyturn",
    subject="dvls-prod",
    time=datetime(2026, 1, 5, 9, 0, tzinfo=UTC),
    data={"operation": "op-1"},
)


@pytest.fixture
async def broker() -> AsyncIterator[Server]:
    async with serving(CONFIG, port=0) as server:
        yield server


@pytest.fixture
async def outbox(broker: Server) -> AsyncIterator[ServiceBusOutbox]:
    async with opened(broker.connection_string) as made:
        yield made


@asynccontextmanager
async def opened(connection: str) -> AsyncIterator[ServiceBusOutbox]:
    settings = Settings(
        tenant_id="t", vault_url="https://v", servicebus_connection=connection, pace=0.0
    )
    made = ServiceBusOutbox(settings, None)
    try:
        yield made
    finally:
        await made.close()


async def received(
    broker: Server, queue: str, count: int = 1, *, session: str | None = None
) -> list[Any]:
    """Exactly *count* messages; what they hold is read while their receiver is open."""
    found: list[Any] = []
    async with receiver(broker, queue, session) as source, asyncio.timeout(15):
        while len(found) < count:
            found += await source.receive_messages(count - len(found), max_wait_time=5)
        for message in found:
            await source.complete_message(message)
    return found


@asynccontextmanager
async def receiver(broker: Server, queue: str, session: str | None = None) -> AsyncIterator[Any]:
    client = ServiceBusClient.from_connection_string(broker.connection_string)
    made = (
        client.get_subscription_receiver(EVENTS, "all")
        if queue == EVENTS
        else client.get_queue_receiver(queue, session_id=session)
    )
    async with client, made:
        yield made


async def peeked(broker: Server, queue: str, session: str | None = None) -> list[Any]:
    async with receiver(broker, queue, session) as source:
        return list(await source.peek_messages(10, sequence_number=1))


def body(message: Any) -> bytes:
    return b"".join(message.body)


async def test_a_steps_message(broker: Server, outbox: ServiceBusOutbox):
    await outbox.send(STEP, MESSAGE)
    (message,) = await received(broker, STEP, session="dvls-prod")
    assert decode(body(message)) == MESSAGE
    assert message.session_id == "dvls-prod"
    assert message.message_id == "op-1:credentials:3"
    assert message.correlation_id == "op-1"
    assert message.subject == "rotate"
    assert message.content_type == "application/json"


async def test_for_later(broker: Server, outbox: ServiceBusOutbox):
    at = datetime.now(UTC) + timedelta(hours=1)
    await outbox.send(STEP, MESSAGE, at=at)
    (message,) = await peeked(broker, STEP, "dvls-prod")
    assert message.state == ServiceBusMessageState.SCHEDULED
    assert abs(message.scheduled_enqueue_time_utc - at) < timedelta(milliseconds=2)


async def test_a_time_that_has_passed_is_now(broker: Server, outbox: ServiceBusOutbox):
    await outbox.send(STEP, MESSAGE, at=datetime.now(UTC) - timedelta(hours=1))
    (message,) = await received(broker, STEP, session="dvls-prod")
    assert decode(body(message)) == MESSAGE


async def test_connections_have_sessions_of_their_own(broker: Server, outbox: ServiceBusOutbox):
    other = msgspec.structs.replace(MESSAGE, connection="other", operation="op-2")
    await outbox.send(STEP, MESSAGE)
    await outbox.send(STEP, other)
    (message,) = await received(broker, STEP, session="other")
    assert decode(body(message)) == other


async def test_a_message_that_is_sent_again_is_one(broker: Server, outbox: ServiceBusOutbox):
    """Or it would wait on beside itself, and twice as often with each repeat."""
    later = msgspec.structs.replace(MESSAGE, attempt=4)
    for message in (MESSAGE, MESSAGE, later):
        await outbox.send(STEP, message)
    found = await received(broker, STEP, 2, session="dvls-prod")
    assert [decode(body(message)) for message in found] == [MESSAGE, later]


async def test_an_order_of_another_system(broker: Server, outbox: ServiceBusOutbox):
    for _ in range(2):  # the queue drops repeats by message id
        await outbox.provision(b'{"name": "x"}', "order-1")
    await outbox.provision(b"{}", "order-2")
    first, second = await received(broker, PROVISIONING, 2)
    assert (body(first), first.message_id, first.session_id) == (b'{"name": "x"}', "order-1", None)
    assert second.message_id == "order-2"


async def test_an_event(broker: Server, outbox: ServiceBusOutbox):
    await outbox.publish(EVENT)
    (message,) = await received(broker, EVENTS)
    assert msgspec.json.decode(body(message), type=Event) == EVENT
    assert message.message_id == "op-1:report"
    assert message.subject == EVENT.type
    assert message.content_type == "application/cloudevents+json"
    assert message.application_properties == {
        b"type": b"keyturn.connection.reported",
        b"connection": b"dvls-prod",
    }


async def test_a_refused_message_is_kept_as_it_came(broker: Server, outbox: ServiceBusOutbox):
    as_it_came = b"\x00\xff not JSON \xf0\x9f"
    await outbox.set_aside(as_it_came, "order-9", "INPUT_MISSING messageId; " + "é" * 2000)
    (message,) = await received(broker, REFUSED)
    assert body(message) == as_it_came
    assert message.message_id == "order-9"
    assert message.content_type == "application/octet-stream"
    reason = message.application_properties[b"reason"].decode()
    assert reason.startswith("INPUT_MISSING messageId; ")
    assert len(reason) == 1000


async def test_many_at_once_on_one_queue(broker: Server, outbox: ServiceBusOutbox):
    """Also while the sender is still being opened."""
    sent = [msgspec.structs.replace(MESSAGE, attempt=n) for n in range(1, 41)]
    await asyncio.gather(*(outbox.send(STEP, message) for message in sent))
    found = await received(broker, STEP, 40, session="dvls-prod")
    assert {decode(body(m)).attempt for m in found} == set(range(1, 41))


async def test_many_at_once_on_many_queues(broker: Server, outbox: ServiceBusOutbox):
    steps = ["registration", "consent", "roles", STEP, "report"]
    await asyncio.gather(
        *(outbox.send(step, MESSAGE) for step in steps),
        outbox.publish(EVENT),
        outbox.provision(b"{}", "order-1"),
        outbox.set_aside(b"x", "order-2", "why"),
    )
    await asyncio.gather(
        *(received(broker, step, session="dvls-prod") for step in steps),
        *(received(broker, queue) for queue in (EVENTS, PROVISIONING, REFUSED)),
    )


async def test_senders_are_kept(broker: Server, outbox: ServiceBusOutbox):
    for _ in range(3):
        await outbox.send(STEP, MESSAGE)
    links = [
        link
        for connection in broker.connections
        for session in connection.sessions.values()
        for link in session.links.values()
        if not link.detached
    ]
    assert len([link for link in links if STEP in str(link.address)]) == 1


async def test_the_broker_is_restarted_between_sends(tmp_path: Path):
    """Nothing sent before is lost, and sending works again by itself."""
    store = tmp_path / "messages"
    second = msgspec.structs.replace(MESSAGE, attempt=4)
    async with AsyncExitStack() as stack:
        async with serving(CONFIG, store=store) as broker:
            port = broker.port
            outbox = await stack.enter_async_context(opened(broker.connection_string))
            await outbox.send(STEP, MESSAGE)
        with pytest.raises(TryLater, match="sending to credentials"):
            await outbox.send(STEP, second)
        async with serving(CONFIG, port=port, store=store) as broker:
            await outbox.send(STEP, second)
            found = await received(broker, STEP, 2, session="dvls-prod")
            assert [decode(body(m)).attempt for m in found] == [3, 4]


async def test_the_broker_is_restarted_unnoticed(tmp_path: Path):
    """The next send meets a dead connection: it recovers, or is tried later and then works."""
    store = tmp_path / "messages"
    second = msgspec.structs.replace(MESSAGE, attempt=4)
    async with AsyncExitStack() as stack:
        async with serving(CONFIG, store=store) as broker:
            port = broker.port
            outbox = await stack.enter_async_context(opened(broker.connection_string))
            await outbox.send(STEP, MESSAGE)
        async with serving(CONFIG, port=port, store=store) as broker:
            try:
                await outbox.send(STEP, second)
            except TryLater:
                await outbox.send(STEP, second)
            found = await received(broker, STEP, 2, session="dvls-prod")
            assert [decode(body(m)).attempt for m in found] == [3, 4]


async def test_a_queue_that_is_not_there(outbox: ServiceBusOutbox):
    with pytest.raises(TryLater) as raised:
        await outbox.send("no-such-step", MESSAGE)
    assert raised.value.code == "QUEUE_UNREACHABLE"
    assert "no-such-step" in raised.value.message
    await outbox.send(STEP, MESSAGE)


async def test_nobody_listens(broker: Server):
    nowhere = broker.connection_string.replace(f":{broker.port};", ":1;")
    async with opened(nowhere) as outbox:
        with pytest.raises(TryLater, match="sending to credentials"):
            await outbox.send(STEP, MESSAGE)


async def test_a_busy_broker():
    async with serving(CONFIG, faults=Faults(busy=0.5, seed=3)) as broker:
        sent = 0
        async with opened(broker.connection_string) as outbox, asyncio.timeout(60):
            while sent < 6:
                try:
                    await outbox.send(STEP, msgspec.structs.replace(MESSAGE, attempt=sent + 1))
                except TryLater:
                    continue
                sent += 1
        found = await received(broker, STEP, 6, session="dvls-prod")
        assert len(found) == 6
