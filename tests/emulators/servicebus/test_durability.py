"""What survives a restart, and a SIGKILL in the middle of work."""

import asyncio
import gc
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from azure.servicebus import ServiceBusMessage, ServiceBusMessageState
from azure.servicebus.aio import ServiceBusClient, ServiceBusReceiver, ServiceBusSender
from azure.servicebus.exceptions import ServiceBusError

from emulators.servicebus.server import serving
from tests.emulators.servicebus.client import FAST, left, pair, send, take
from tests.emulators.servicebus.entities import config_text
from tests.emulators.servicebus.peer import Peer, message
from tests.emulators.servicebus.process import Emulator

FLOW = 0x13


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "config.json"
    file.write_text(config_text())
    return file


@asynccontextmanager
async def _connected(connection_string: str, **options: Any) -> AsyncIterator[ServiceBusClient]:
    client = ServiceBusClient.from_connection_string(connection_string, **{**FAST, **options})
    async with client:
        yield client


async def test_everything_is_there_again(tmp_path: Path) -> None:
    store = tmp_path / "store.db"
    later = datetime.now(UTC) + timedelta(seconds=8)  # after the restart, on a slow machine too
    async with (
        serving(config_text(), store=store, durability="full") as server,
        _connected(server.connection_string) as client,
    ):
        await asyncio.gather(_fill_queue(client, later), _fill_session(client), _fill_rest(client))
    async with (
        serving(config_text(), store=store) as server,
        _connected(server.connection_string) as client,
    ):
        await asyncio.gather(
            _check_queue(client, later), _check_session(client), _check_rest(client)
        )


async def _fill_queue(client: ServiceBusClient, later: datetime) -> None:
    async with pair(client, "q1") as (sender, receiver):
        await sender.send_messages([ServiceBusMessage(name) for name in ("done", "wait", "locked")])
        done, wait, locked = await take(receiver, 3)
        await receiver.complete_message(done)
        await receiver.defer_message(wait)
        await receiver.abandon_message(locked)
        await take(receiver, 1)
        await sender.schedule_messages([ServiceBusMessage("scheduled")], later)


async def _check_queue(client: ServiceBusClient, later: datetime) -> None:
    async with client.get_queue_receiver("q1") as receiver:
        states = {str(m): m.state for m in await left(receiver)}
        assert states["wait"] == ServiceBusMessageState.DEFERRED
        (locked,) = await take(receiver, 1)
        assert (str(locked), locked.delivery_count) == ("locked", 1)  # the lock is not kept
        await receiver.complete_message(locked)
        (wait,) = await receiver.receive_deferred_messages([2])
        await receiver.complete_message(wait)
        (scheduled,) = await take(receiver, 1)
        assert str(scheduled) == "scheduled"
        assert datetime.now(UTC) >= later
        assert scheduled.sequence_number > 4
        await receiver.complete_message(scheduled)
        assert await left(receiver) == []


async def _fill_session(client: ServiceBusClient) -> None:
    await send(client, "qsess", ServiceBusMessage("x", session_id="a"))
    async with client.get_queue_receiver("qsess", session_id="a") as receiver:
        await receiver.session.set_state(b"kept")


async def _check_session(client: ServiceBusClient) -> None:
    async with client.get_queue_receiver("qsess", session_id="a") as receiver:
        assert await receiver.session.get_state() == b"kept"
        (got,) = await take(receiver, 1)
        assert (str(got), got.session_id) == ("x", "a")


async def _fill_rest(client: ServiceBusClient) -> None:
    await send(client, "qdup", ServiceBusMessage("x", message_id="same"))
    async with pair(client, "deadletter") as (sender, receiver):
        await sender.send_messages(ServiceBusMessage("x"))
        (got,) = await take(receiver, 1)
        await receiver.complete_message(got)


async def _check_rest(client: ServiceBusClient) -> None:
    async with pair(client, "qdup") as (sender, receiver):
        await sender.send_messages(ServiceBusMessage("x", message_id="same"))
        assert len(await left(receiver)) == 1
    async with pair(client, "deadletter") as (sender, receiver):
        await sender.send_messages(ServiceBusMessage("x"))
        (got,) = await take(receiver, 1)
        assert got.sequence_number == 2  # numbers are not used again


async def test_nothing_is_acknowledged_that_is_not_stored(tmp_path: Path) -> None:
    async with serving(config_text(), store=tmp_path / "store.db") as server:
        async with Peer(server.port) as peer:
            await peer.begin()
            await peer.attach_sender("q1")
            await peer.expect(FLOW)
            server.namespace.store._database.close()  # noqa: SLF001  as if the disk had failed
            peer.transfer(0, message(b"x"))
            with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
                await peer.next()
        assert server.failed.is_set()


class _Ledger:
    """What the emulator has acknowledged."""

    def __init__(self) -> None:
        self.changed = asyncio.Event()
        self.sent: set[str] = set()
        self.completing: set[str] = set()
        self.completed: set[str] = set()


async def _produce(sender: ServiceBusSender, ledger: _Ledger, start: int) -> None:
    for number in range(start, start + 100_000):
        try:
            await sender.send_messages(ServiceBusMessage(b"x" * 100, message_id=str(number)))
        except ServiceBusError:
            return
        ledger.sent.add(str(number))
        ledger.changed.set()


async def _consume(receiver: ServiceBusReceiver, ledger: _Ledger) -> None:
    while True:
        try:
            for message in await receiver.receive_messages(20, max_wait_time=5):
                ledger.completing.add(str(message.message_id))
                await receiver.complete_message(message)
                ledger.completed.add(str(message.message_id))
                ledger.changed.set()
        except ServiceBusError:
            return


async def _work_until_killed(emulator: Emulator, ledger: _Ledger, start: int) -> None:
    """Send and complete at the same time, and kill the emulator in the middle of it."""
    client = ServiceBusClient.from_connection_string(
        emulator.connection_string, retry_total=0, socket_timeout=1
    )
    async with client, pair(client, "perf") as (sender, receiver):
        sends, completes = len(ledger.sent) + 120, len(ledger.completed) + 60
        work = asyncio.gather(
            _produce(sender, ledger, start),
            _consume(receiver, ledger),
        )
        async with asyncio.timeout(20):
            while len(ledger.sent) < sends or len(ledger.completed) < completes:
                ledger.changed.clear()
                await ledger.changed.wait()
        emulator.kill()
        await asyncio.wait_for(work, 30)


def _run(work: Coroutine[Any, Any, None]) -> None:
    """Run it, and collect what the SDK leaves open when its peer dies while warnings are off."""
    asyncio.run(work)
    gc.collect()


abandons_sockets = pytest.mark.filterwarnings("ignore::ResourceWarning")


@abandons_sockets
def test_sigkill_loses_nothing_and_brings_nothing_back(tmp_path: Path, config: Path) -> None:
    _run(_kill_again_and_again(tmp_path, config))


async def _kill_again_and_again(tmp_path: Path, config: Path) -> None:
    store, ledger = tmp_path / "store.db", _Ledger()
    for turn in range(3):
        emulator = Emulator(config, "--store", str(store))
        try:
            await _work_until_killed(emulator, ledger, 10_000_000 * turn)
        finally:
            emulator.kill()
        async with serving(config, store=store) as server:
            kept = {str(m.message_id) for m in server.namespace.find("perf").messages.values()}
        assert ledger.sent - ledger.completing <= kept
        assert not ledger.completed & kept
        assert len(ledger.sent) > 100 * (turn + 1)


@abandons_sockets
def test_clients_recover_from_a_restart(tmp_path: Path, config: Path) -> None:
    _run(_restart(tmp_path, config))


async def _restart(tmp_path: Path, config: Path) -> None:
    options = ("--store", str(tmp_path / "store.db"))
    emulator = Emulator(config, *options)
    try:
        async with _connected(emulator.connection_string, retry_total=5) as client:
            seen: asyncio.Queue[str] = asyncio.Queue()

            async def iterate(receiver: ServiceBusReceiver) -> None:
                async for message in receiver:
                    await receiver.complete_message(message)
                    seen.put_nowait(str(message))

            async with pair(client, "q1") as (sender, receiver):
                iterating = asyncio.ensure_future(iterate(receiver))
                await sender.send_messages(ServiceBusMessage("before"))
                assert await asyncio.wait_for(seen.get(), 10) == "before"
                emulator.kill()
                emulator = Emulator(config, *options, port=emulator.port)
                await sender.send_messages(ServiceBusMessage("after"))
                assert await asyncio.wait_for(seen.get(), 30) == "after"
                iterating.cancel()
                await asyncio.wait([iterating])
    finally:
        assert emulator.stop() == 0
