"""The emulated clock: schedules, expiry and signatures follow it, locks do not."""

import base64
import hashlib
import hmac
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest_asyncio
from azure.servicebus import ServiceBusMessage, ServiceBusSubQueue
from azure.servicebus.aio import ServiceBusClient

from emulators.clock import Clock
from emulators.servicebus.cbs import KEY, KEY_NAME, Tokens
from emulators.servicebus.server import Server, serving
from tests.emulators.servicebus.client import FAST, left, pair, send, take
from tests.emulators.servicebus.entities import TOPIC, config_text
from tests.emulators.servicebus.process import running

MONTHS = timedelta(days=121)


@pytest_asyncio.fixture
async def server(clock: Clock) -> AsyncIterator[Server]:
    async with serving(config_text(), clock=clock) as server:
        yield server


@pytest_asyncio.fixture
async def clock(tmp_path: Path) -> Clock:
    return Clock(tmp_path / "clock")


@pytest_asyncio.fixture
async def client(server: Server) -> AsyncIterator[ServiceBusClient]:
    async with ServiceBusClient.from_connection_string(server.connection_string, **FAST) as client:
        yield client


async def test_what_is_scheduled_comes_when_the_clock_gets_there(
    client: ServiceBusClient, clock: Clock
) -> None:
    later = datetime.now(UTC) + MONTHS
    topic = client.get_topic_sender(TOPIC["Name"])
    subscription = client.get_subscription_receiver(TOPIC["Name"], "s1")
    async with pair(client, "q1") as (sender, receiver), topic, subscription:
        await sender.schedule_messages([ServiceBusMessage("x")], later)
        await topic.schedule_messages([ServiceBusMessage("y")], later)
        clock.advance(MONTHS - timedelta(hours=1))
        assert await receiver.receive_messages(1, max_wait_time=0.3) == []
        clock.advance(timedelta(hours=1))
        (got,) = await take(receiver, 1)
        assert got.enqueued_time_utc >= later
        assert [str(each) for each in await take(subscription, 1)] == ["y"]
        # What is sent now is scheduled by the emulated clock as well.
        await sender.schedule_messages([ServiceBusMessage("z")], later + timedelta(hours=1))
        assert await receiver.receive_messages(1, max_wait_time=0.3) == []


async def test_messages_expire_by_the_clock(client: ServiceBusClient, clock: Clock) -> None:
    await send(client, "qttl", ServiceBusMessage("x", time_to_live=timedelta(days=1)))
    clock.advance(MONTHS)
    dead = client.get_queue_receiver("qttl", sub_queue=ServiceBusSubQueue.DEAD_LETTER)
    async with dead:
        (got,) = await take(dead, 1)
    assert got.dead_letter_reason == "TTLExpiredException"


async def test_a_jump_ends_no_lock(client: ServiceBusClient, clock: Clock) -> None:
    await send(client, "qsess", ServiceBusMessage("x", session_id="a"))
    async with (
        pair(client, "q1") as (sender, receiver),
        client.get_queue_receiver("qsess", session_id="a") as session,
    ):
        await sender.send_messages(ServiceBusMessage("x"))
        (plain,), (ordered,) = await take(receiver, 1), await take(session, 1)
        assert plain.locked_until_utc < datetime.now(UTC) + timedelta(minutes=1)
        clock.advance(MONTHS)
        await send(client, "q5", ServiceBusMessage("the broker has seen the jump"))
        await receiver.renew_message_lock(plain)
        await session.session.renew_lock()
        await receiver.complete_message(plain)
        await session.complete_message(ordered)
        assert await left(receiver) == await left(session) == []


async def test_a_lock_ends_in_real_time_after_a_jump(
    client: ServiceBusClient, clock: Clock
) -> None:
    clock.advance(MONTHS)
    async with pair(client, "qshort") as (sender, receiver):
        await sender.send_messages(ServiceBusMessage("x"))
        await take(receiver, 1)
        (again,) = await take(receiver, 1)  # two seconds later
        assert again.delivery_count == 1
        await receiver.complete_message(again)


def test_a_signature_expires_by_the_clock() -> None:
    clock, expiry = Clock(), str(int(time.time()) + 3600)
    signed = f"sb%3A%2F%2Fx\n{expiry}".encode()
    signature = quote(base64.b64encode(hmac.digest(KEY.encode(), signed, hashlib.sha256)))
    token = f"sr=sb%3A%2F%2Fx&sig={signature}&se={expiry}&skn={KEY_NAME}"
    tokens = Tokens(clock, strict=True)
    assert tokens.check(token) == ""
    clock.advance(timedelta(hours=2))
    assert tokens.check(token) == "the token has expired"


async def test_a_process_follows_a_clock_that_others_move(tmp_path: Path) -> None:
    config, clock = tmp_path / "config.json", Clock(tmp_path / "clock")
    config.write_text(config_text())
    options = ("--clock", str(tmp_path / "clock"), "--store", str(tmp_path / "store.db"))
    with running(config, *options) as emulator:
        async with (
            ServiceBusClient.from_connection_string(emulator.connection_string, **FAST) as client,
            pair(client, "q1") as (sender, receiver),
        ):
            later = datetime.now(UTC) + MONTHS
            await sender.schedule_messages([ServiceBusMessage("x")], later)
            assert await receiver.receive_messages(1, max_wait_time=0.3) == []
            clock.advance(MONTHS)
            await take(receiver, 1)
