"""Receivers that wait for the next available session."""

from collections.abc import AsyncIterator

import pytest_asyncio

from emulators.servicebus.amqp.encode import encode
from emulators.servicebus.amqp.types import Described, Symbol, ULong
from emulators.servicebus.server import Server, serving
from tests.emulators.servicebus.entities import config_text
from tests.emulators.servicebus.peer import Peer, message

ATTACH, DETACH, DISPOSITION = 0x12, 0x16, 0x15
QUEUES = [f"step{n}" for n in range(12)]
SESSION = {"RequiresSession": True, "LockDuration": "PT1M"}


@pytest_asyncio.fixture
async def server() -> AsyncIterator[Server]:
    async with serving(config_text(dict.fromkeys(QUEUES, SESSION))) as server:
        yield server


def _in_session(session_id: str) -> bytes:
    properties = [f"id-{session_id}", *[None] * 9, session_id]
    return encode(Described(ULong(0x73), properties)) + message(b"x")


async def test_waiting_attaches_are_answered_in_the_order_of_asking(server: Server) -> None:
    async with Peer(server.port) as waiting, Peer(server.port) as sending:
        await waiting.begin()
        await sending.begin()
        for index, queue in enumerate(QUEUES):
            for place in range(16):
                waiting.ask_for_session(queue, handle=16 * index + place)
        for index, queue in enumerate(QUEUES):
            await sending.attach_sender(queue, handle=index)
            for place in range(16):
                sending.transfer(16 * index + place, _in_session(f"s{place}"), handle=index)
        granted = {}
        for _ in range(16 * len(QUEUES)):
            attach = await waiting.expect(ATTACH)
            found = attach[5].value[7][Symbol("com.microsoft:session-filter")]
            assert attach[13][Symbol("com.microsoft:session-id")] == found
            assert attach[13][Symbol("com.microsoft:locked-until-utc")] > 6 * 10**17
            granted[int(attach[1])] = found
        assert granted == {h: f"s{h % 16}" for h in range(16 * len(QUEUES))}


async def test_waiting_ends_with_a_timeout(server: Server) -> None:
    async with Peer(server.port) as peer:
        await peer.begin()
        peer.ask_for_session("step0", handle=0, wait=100)
        assert (await peer.expect(ATTACH))[5] is None
        assert (await peer.expect(DETACH))[2].value[0] == "com.microsoft:timeout"


async def test_a_client_may_stop_waiting(server: Server) -> None:
    async with Peer(server.port) as peer, Peer(server.port) as other:
        await peer.begin()
        peer.ask_for_session("step0", handle=0)
        peer.detach(0)
        assert (await peer.expect(ATTACH))[5] is None
        assert (await peer.expect(DETACH))[1] is True
        await other.begin()
        await other.attach_sender("step0")
        other.transfer(0, _in_session("a"))
        await other.expect(DISPOSITION)
        other.ask_for_session("step0", handle=1)
        assert (await other.expect(ATTACH))[13][Symbol("com.microsoft:session-id")] == "a"


async def test_a_session_is_freed_when_its_owner_disappears(server: Server) -> None:
    async with Peer(server.port) as other:
        await other.begin()
        await other.attach_sender("step0")
        other.transfer(0, _in_session("a"))
        await other.expect(DISPOSITION)
        async with Peer(server.port) as owner:
            await owner.begin()
            owner.ask_for_session("step0", handle=0)
            await owner.expect(ATTACH)
            other.ask_for_session("step0", handle=1)
        assert (await other.expect(ATTACH))[13][Symbol("com.microsoft:session-id")] == "a"
