"""Python SDK: deferral, schedules, locks, expiry, duplicates."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.servicebus import ServiceBusMessage, ServiceBusMessageState, ServiceBusSubQueue
from azure.servicebus.aio import AutoLockRenewer, ServiceBusClient
from azure.servicebus.exceptions import MessageLockLostError, MessageNotFoundError

from tests.emulators.servicebus.client import eventually, left, pair, scenario, take


@scenario
async def deferral(client: ServiceBusClient) -> None:
    """P6."""
    async with pair(client, "defer") as (sender, receiver):
        await sender.send_messages([ServiceBusMessage("later"), ServiceBusMessage("now")])
        later, now = await take(receiver, 2)
        await receiver.defer_message(later)
        await receiver.complete_message(now)
        (peeked,) = await left(receiver)
        assert peeked.state == ServiceBusMessageState.DEFERRED
        assert await receiver.receive_messages(1, max_wait_time=0.3) == []
        (got,) = await receiver.receive_deferred_messages([later.sequence_number])
        assert str(got) == "later"
        await receiver.renew_message_lock(got)
        await receiver.complete_message(got)
        with pytest.raises(MessageNotFoundError):
            await receiver.receive_deferred_messages([later.sequence_number])


@scenario
async def schedules(client: ServiceBusClient) -> None:
    """P7."""
    async with pair(client, "schedule") as (sender, receiver):
        soon = datetime.now(UTC) + timedelta(seconds=6)  # a loaded machine needs some to look
        first, second = await sender.schedule_messages(
            [ServiceBusMessage("one"), ServiceBusMessage("two")], soon
        )
        peeked = await left(receiver)
        assert [m.state for m in peeked] == [ServiceBusMessageState.SCHEDULED] * 2
        await sender.cancel_scheduled_messages(first)
        later = ServiceBusMessage("three", scheduled_enqueue_time_utc=soon)
        await sender.send_messages(later)
        assert await receiver.receive_messages(1, max_wait_time=0.3) == []
        got = await take(receiver, 2)
        assert datetime.now(UTC) >= soon
        assert sorted(str(m) for m in got) == ["three", "two"]
        two = next(m for m in got if str(m) == "two")
        assert two.enqueued_sequence_number == second
        assert two.sequence_number > second
        for number in (first, second):
            with pytest.raises(MessageNotFoundError):
                await sender.cancel_scheduled_messages(number)
        for message in got:
            await receiver.complete_message(message)


@scenario
async def peek_paging(client: ServiceBusClient) -> None:
    """P8."""
    async with pair(client, "peek") as (sender, receiver):
        await sender.send_messages([ServiceBusMessage(str(n)) for n in range(5)])
        first = await receiver.peek_messages(3)
        second = await receiver.peek_messages(3, sequence_number=first[-1].sequence_number + 1)
        assert [str(m) for m in first + second] == ["0", "1", "2", "3", "4"]
        beyond = second[-1].sequence_number + 1
        assert await receiver.peek_messages(3, sequence_number=beyond) == []


@scenario
async def renewed_lock(client: ServiceBusClient) -> None:
    """P9, first part."""
    async with pair(client, "locks") as (sender, receiver):
        await sender.send_messages(ServiceBusMessage("x"))
        (got,) = await take(receiver, 1)
        before = got.locked_until_utc

        async def extended() -> bool:
            return bool(await receiver.renew_message_lock(got) > before)

        await eventually(extended)
        await receiver.complete_message(got)


@scenario
async def expired_lock(client: ServiceBusClient) -> None:
    """P9: the service itself says that a lock is lost, on both ways of settling."""
    async with pair(client, "qshort") as (sender, receiver):
        await sender.send_messages(ServiceBusMessage("x"))
        (got,) = await take(receiver, 1)
        (again,) = await take(receiver, 1)
        assert datetime.now(UTC) > got.locked_until_utc
        assert again.delivery_count == 1
        _pretend_to_hold(got)
        with pytest.raises(MessageLockLostError):
            await receiver.renew_message_lock(got)
        _pretend_to_hold(got)
        with pytest.raises(MessageLockLostError):
            await receiver.complete_message(got)
        await receiver.complete_message(again)


def _pretend_to_hold(message: Any) -> None:
    """Bypass the SDK's own look at the clock, so that the request reaches the service."""
    message._expiry = datetime.now(UTC) + timedelta(minutes=1)  # noqa: SLF001  no public way


@scenario
async def lock_renewer(client: ServiceBusClient) -> None:
    """P9, last part."""
    async with pair(client, "q5") as (sender, receiver), AutoLockRenewer() as renewer:
        await sender.send_messages(ServiceBusMessage("x"))
        (got,) = await take(receiver, 1)
        renewer.register(receiver, got, max_lock_renewal_duration=60)
        first_end = got.locked_until_utc
        until = first_end + timedelta(seconds=3)

        async def held_long_enough() -> bool:
            return datetime.now(UTC) > until

        await eventually(held_long_enough)
        assert got.locked_until_utc > first_end
        await receiver.complete_message(got)
        assert await left(receiver) == []


@scenario
async def time_to_live(client: ServiceBusClient) -> None:
    """P10."""
    dead = client.get_queue_receiver("qttl", sub_queue=ServiceBusSubQueue.DEAD_LETTER)
    async with client.get_queue_sender("qttl") as sender, dead:
        short = timedelta(seconds=1)
        await sender.send_messages(ServiceBusMessage("x", time_to_live=short))
        (got,) = await take(dead, 1)
        assert got.dead_letter_reason == "TTLExpiredException"
        await dead.complete_message(got)


@scenario
async def duplicates(client: ServiceBusClient) -> None:
    """P11."""
    async with pair(client, "qdup") as (sender, receiver):
        for _ in range(3):
            await sender.send_messages(ServiceBusMessage("same", message_id="same"))
        await sender.send_messages(ServiceBusMessage("other", message_id="other"))
        got = await take(receiver, 2)
        assert [str(m) for m in got] == ["same", "other"]
        for message in got:
            await receiver.complete_message(message)
        assert await left(receiver) == []


@scenario
async def drained_receive(client: ServiceBusClient) -> None:
    """An empty receive ends after its own wait, and later messages still come."""
    async with pair(client, "drain") as (sender, receiver):
        started = time.monotonic()
        assert await receiver.receive_messages(5, max_wait_time=0.5) == []
        assert time.monotonic() - started < 5
        await sender.send_messages([ServiceBusMessage(str(n)) for n in range(50)])
        got = await take(receiver, 50)
        await asyncio.gather(*(receiver.complete_message(m) for m in got))
        assert await left(receiver) == []
