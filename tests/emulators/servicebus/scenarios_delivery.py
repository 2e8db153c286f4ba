"""Python SDK: sending, receiving and settling."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from azure.servicebus import ServiceBusMessage, ServiceBusReceiveMode, ServiceBusSubQueue
from azure.servicebus.aio import ServiceBusClient
from azure.servicebus.exceptions import MessageSizeExceededError, MessagingEntityNotFoundError

from tests.emulators.servicebus.client import body, eventually, left, pair, scenario, take

_WHEN = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


@scenario
async def properties(client: ServiceBusClient) -> None:
    """P1."""
    number = uuid.uuid4()
    sent = ServiceBusMessage(
        b"hello",
        message_id="id-1",
        content_type="text/plain",
        correlation_id="c-1",
        subject="label",
        to="somebody",
        reply_to="me",
        reply_to_session_id="r-1",
        partition_key="part",
        time_to_live=timedelta(seconds=90),
        application_properties={
            "text": "t", "int": 5, "bool": True, "double": 1.5,
            "uuid": number, "time": _WHEN,
        },
    )  # fmt: skip
    async with pair(client, "properties") as (sender, receiver):
        before = datetime.now(UTC) - timedelta(seconds=1)
        await sender.send_messages(sent)
        (got,) = await take(receiver, 1)
        assert body(got) == b"hello"
        found = (
            got.message_id, got.content_type, got.correlation_id, got.subject, got.to,
            got.reply_to, got.reply_to_session_id, got.partition_key,
        )  # fmt: skip
        assert found == (
            "id-1", "text/plain", "c-1", "label", "somebody", "me", "r-1", "part",
        )  # fmt: skip
        own = got.application_properties
        assert own[b"text"] == b"t"
        assert (own[b"int"], own[b"bool"], own[b"double"]) == (5, True, 1.5)
        assert own[b"bool"] is True
        assert own[b"uuid"] == number
        assert own[b"time"] == int(_WHEN.timestamp() * 1000)
        assert got.time_to_live == timedelta(seconds=90)
        assert before < got.enqueued_time_utc < datetime.now(UTC) + timedelta(seconds=1)
        assert got.expires_at_utc == got.enqueued_time_utc + timedelta(seconds=90)
        assert got.sequence_number == got.enqueued_sequence_number == 1
        assert isinstance(got.lock_token, uuid.UUID)
        assert got.locked_until_utc > datetime.now(UTC) + timedelta(seconds=20)
        assert got.delivery_count == 0
        await receiver.complete_message(got)
        assert await left(receiver) == []


@scenario
async def batches(client: ServiceBusClient) -> None:
    """P2."""
    async with pair(client, "batch", prefetch_count=100) as (sender, receiver):
        batch = await sender.create_message_batch()
        assert batch.max_size_in_bytes == 262_144
        for number in range(500):
            batch.add_message(ServiceBusMessage(str(number)))
        await sender.send_messages(batch)
        await sender.send_messages([ServiceBusMessage("500"), ServiceBusMessage("501")])
        got = await take(receiver, 502)
        assert [int(str(message)) for message in got] == list(range(502))
        numbers = [message.sequence_number for message in got]
        assert numbers == sorted(numbers)
        for message in got:
            await receiver.complete_message(message)
        assert await left(receiver) == []


@scenario
async def abandoning(client: ServiceBusClient) -> None:
    """P4."""
    async with pair(client, "abandon") as (sender, receiver):
        await sender.send_messages(ServiceBusMessage("x", application_properties={"kept": "yes"}))
        for expected in range(3):
            (got,) = await take(receiver, 1)
            assert got.delivery_count == expected
            await receiver.abandon_message(got)
        assert await left(receiver) == []
        dead = client.get_queue_receiver("abandon", sub_queue=ServiceBusSubQueue.DEAD_LETTER)
        async with dead:
            (got,) = await take(dead, 1)
            assert got.dead_letter_reason == "MaxDeliveryCountExceeded"
            assert got.application_properties[b"kept"] == b"yes"
            assert got.delivery_count == 3
            await dead.complete_message(got)


@scenario
async def dead_lettering(client: ServiceBusClient) -> None:
    """P5."""
    async with pair(client, "deadletter") as (sender, receiver):
        await sender.send_messages(ServiceBusMessage("x"))
        (got,) = await take(receiver, 1)
        await receiver.dead_letter_message(got, reason="bad", error_description="really bad")
    dead = client.get_queue_receiver("deadletter", sub_queue=ServiceBusSubQueue.DEAD_LETTER)
    async with dead:
        (peeked,) = await left(dead)
        assert peeked.dead_letter_reason == "bad"
        (got,) = await take(dead, 1)
        assert got.dead_letter_reason == "bad"
        assert got.dead_letter_error_description == "really bad"
        assert got.enqueued_sequence_number == 1
        await dead.complete_message(got)
        assert await left(dead) == []


@scenario
async def receive_and_delete(client: ServiceBusClient) -> None:
    """P14."""
    mode = ServiceBusReceiveMode.RECEIVE_AND_DELETE
    async with pair(client, "delete", receive_mode=mode) as (sender, receiver):
        await sender.send_messages([ServiceBusMessage(str(n)) for n in range(20)])
        got = await take(receiver, 20)
        assert sorted(int(str(message)) for message in got) == list(range(20))
        assert await left(receiver) == []


@scenario
async def unused_prefetch(client: ServiceBusClient) -> None:
    """P15."""
    async with pair(client, "prefetch", prefetch_count=20) as (sender, receiver):
        await sender.send_messages([ServiceBusMessage(str(n)) for n in range(10)])
        async for message in receiver:
            await receiver.complete_message(message)
            break
        await receiver.close()
        async with client.get_queue_receiver("prefetch") as second:
            got = await take(second, 9)
            assert {message.delivery_count for message in got} == {0}
            for message in got:
                await second.complete_message(message)


@scenario
async def unknown_entities(client: ServiceBusClient) -> None:
    """P16."""
    with pytest.raises(MessagingEntityNotFoundError):
        await client.get_queue_sender("nowhere").send_messages(ServiceBusMessage("x"))
    with pytest.raises(MessagingEntityNotFoundError):
        await client.get_queue_receiver("nowhere").receive_messages(max_wait_time=10)


@scenario
async def oversize(client: ServiceBusClient) -> None:
    """A message above the limit is refused, and the link stays usable."""
    async with pair(client, "oversize") as (sender, receiver):
        with pytest.raises(MessageSizeExceededError):
            await sender.send_messages(ServiceBusMessage(b"x" * 300_000))
        await sender.send_messages(ServiceBusMessage(b"x" * 200_000))
        (got,) = await take(receiver, 1)
        assert len(body(got)) == 200_000
        await receiver.complete_message(got)


@scenario
async def forwarding(client: ServiceBusClient) -> None:
    """ForwardTo on arrival, ForwardDeadLetteredMessagesTo on dead-lettering."""
    async with (
        client.get_queue_sender("forwarding") as sender,
        client.get_queue_receiver("forwarded") as receiver,
        client.get_queue_receiver("graveyard") as graveyard,
    ):
        await sender.send_messages(ServiceBusMessage("travels"))
        (got,) = await take(receiver, 1)
        await receiver.dead_letter_message(got, reason="no use")
        (got,) = await take(graveyard, 1)
        assert (str(got), got.dead_letter_reason) == ("travels", "no use")
        assert got.dead_letter_source == "forwarded"
        await graveyard.complete_message(got)

        async def gone() -> bool:
            return await left(graveyard) == []

        await eventually(gone)
