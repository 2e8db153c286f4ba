"""Python SDK: topics and Service Bus sessions."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.servicebus import (
    NEXT_AVAILABLE_SESSION,
    ServiceBusMessage,
    ServiceBusSubQueue,
)
from azure.servicebus.aio import ServiceBusClient
from azure.servicebus.exceptions import (
    OperationTimeoutError,
    ServiceBusError,
    SessionCannotBeLockedError,
    SessionLockLostError,
)

from tests.emulators.servicebus.client import body, scenario, send, take


@scenario
async def topic(client: ServiceBusClient) -> None:
    """P12."""
    async with (
        client.get_topic_sender("t1") as sender,
        client.get_subscription_receiver("t1", "s1") as first,
        client.get_subscription_receiver("t1", "s2") as second,
        client.get_subscription_receiver("t1", "s3") as third,
    ):
        await sender.send_messages(
            [
                ServiceBusMessage(
                    "1", subject="wanted", application_properties={"kind": "a", "size": 9}
                ),
                ServiceBusMessage(
                    "2", subject="wanted", application_properties={"kind": "b", "size": 11}
                ),
                ServiceBusMessage(
                    "3", subject="other", application_properties={"kind": "a", "size": 12}
                ),
            ],
        )
        for receiver, expected in ((first, "123"), (second, "1"), (third, "2")):
            got = await take(receiver, len(expected))
            assert "".join(str(m) for m in got) == expected
            for message in got[:-1]:
                await receiver.complete_message(message)
            await receiver.dead_letter_message(got[-1], reason="seen")
        soon = datetime.now(UTC) + timedelta(seconds=1)
        (number,) = await sender.schedule_messages([ServiceBusMessage("later")], soon)
        (cancelled,) = await sender.schedule_messages([ServiceBusMessage("never")], soon)
        await sender.cancel_scheduled_messages(cancelled)
        (got,) = await take(first, 1)
        assert str(got) == "later"
        assert datetime.now(UTC) >= soon
        assert got.enqueued_sequence_number == number
        await first.complete_message(got)
    dead = client.get_subscription_receiver("t1", "s2", sub_queue=ServiceBusSubQueue.DEAD_LETTER)
    async with dead:
        (got,) = await take(dead, 1)
        assert (str(got), got.dead_letter_reason) == ("1", "seen")


@scenario
async def sessions(client: ServiceBusClient) -> None:
    """P13, by name."""
    for name in ("a", "b"):
        await send(
            client, "qsess", *(ServiceBusMessage(f"{name}{n}", session_id=name) for n in range(4))
        )
    async with client.get_queue_receiver("qsess", session_id="a") as receiver:
        assert receiver.session.session_id == "a"
        assert await receiver.session.get_state() is None
        await receiver.session.set_state(b"half way")
        assert await receiver.session.get_state() == b"half way"
        until = receiver.session.locked_until_utc
        assert await receiver.session.renew_lock() > until
        with pytest.raises(SessionCannotBeLockedError):
            await client.get_queue_receiver("qsess", session_id="a").receive_messages(
                max_wait_time=10
            )
        got = await take(receiver, 4)
        assert [str(m) for m in got] == ["a0", "a1", "a2", "a3"]
        assert {m.session_id for m in got} == {"a"}
        for message in got[:2]:
            await receiver.complete_message(message)
        await receiver.defer_message(got[2])
        (deferred,) = await receiver.receive_deferred_messages(got[2].sequence_number)
        await receiver.complete_message(deferred)
    async with client.get_queue_receiver("qsess", session_id="a") as receiver:
        (got,) = await take(receiver, 1)
        assert (str(got), got.delivery_count) == ("a3", 0)
        assert await receiver.session.get_state() == b"half way"
        await receiver.complete_message(got)
        await receiver.session.set_state(None)
    next_one = client.get_queue_receiver("qsess", session_id=NEXT_AVAILABLE_SESSION)
    async with next_one as receiver:
        assert receiver.session.session_id == "b"
        got = await take(receiver, 4)
        assert [body(m) for m in got] == [b"b0", b"b1", b"b2", b"b3"]
        listed = [each async for each in client.list_queue_sessions("qsess")]
        assert listed == ["b"]
        for message in got:
            await receiver.complete_message(message)
    with pytest.raises(OperationTimeoutError):
        await client.get_queue_receiver(
            "qsess", session_id=NEXT_AVAILABLE_SESSION, max_wait_time=1.2
        ).receive_messages()
    with pytest.raises(ServiceBusError):
        await client.get_queue_sender("qsess").send_messages(ServiceBusMessage("no session"))
    with pytest.raises(ServiceBusError, match="requires sessions"):
        await client.get_queue_receiver("qsess").receive_messages(max_wait_time=10)


@scenario
async def waiting_for_sessions(client: ServiceBusClient) -> None:
    """Many receivers wait for the next session; each message finds one of them."""

    async def serve() -> str:
        receiver = client.get_queue_receiver(
            "waiting", session_id=NEXT_AVAILABLE_SESSION, max_wait_time=20
        )
        async with receiver:
            (got,) = await take(receiver, 1)
            await receiver.complete_message(got)
            return str(receiver.session.session_id)

    waiting = [asyncio.ensure_future(serve()) for _ in range(5)]
    async with client.get_queue_sender("waiting") as sender:
        for number in range(5):
            await sender.send_messages(ServiceBusMessage("x", session_id=f"s{number}"))
        assert sorted(await asyncio.gather(*waiting)) == ["s0", "s1", "s2", "s3", "s4"]


@scenario
async def expired_session_lock(client: ServiceBusClient) -> None:
    """An owner that does not renew loses the session, and the delivery counts."""
    await send(client, "sessionlock", ServiceBusMessage("x", session_id="a"))
    async with client.get_queue_receiver("sessionlock", session_id="a") as receiver:
        (got,) = await take(receiver, 1)
        again = await _next_owner(client)
        assert (str(again[1]), again[1].delivery_count) == ("x", 1)
        with pytest.raises(SessionLockLostError):
            await receiver.complete_message(got)
        await again[0].complete_message(again[1])
        await again[0].close()


async def _next_owner(client: ServiceBusClient) -> tuple[Any, Any]:
    receiver = client.get_queue_receiver(
        "sessionlock", session_id=NEXT_AVAILABLE_SESSION, max_wait_time=15
    )
    await receiver.__aenter__()
    (got,) = await take(receiver, 1)
    return receiver, got
