"""Big bodies, and a bounded soak with competing consumers."""

import asyncio
import random
from collections import Counter

from azure.servicebus import ServiceBusMessage, ServiceBusSubQueue
from azure.servicebus.aio import ServiceBusClient, ServiceBusReceiver

from emulators.servicebus.server import serving
from tests.emulators.servicebus.client import FAST, body, pair, take
from tests.emulators.servicebus.entities import config_text

PRODUCERS, EACH = 4, 400


async def test_bodies_of_many_frames() -> None:
    """P3: also at the edges of a frame."""
    async with (
        serving(config_text(), max_message_size=4_194_304) as server,
        ServiceBusClient.from_connection_string(server.connection_string, **FAST) as client,
        pair(client, "q1") as (sender, receiver),
    ):
        for size in (900_000, 2_500_000, 10, 1_048_400, 1_048_512):
            sent = random.Random(size).randbytes(size)  # noqa: S311  repeatable, no secret
            await sender.send_messages(ServiceBusMessage(sent))
            (got,) = await take(receiver, 1)
            assert body(got) == sent
            await receiver.complete_message(got)


async def test_soak() -> None:
    """Every message is accounted for exactly once."""
    done: Counter[str] = Counter()
    dead: Counter[str] = Counter()
    total = PRODUCERS * EACH

    async def produce(client: ServiceBusClient, producer: int) -> None:
        async with client.get_queue_sender("perf") as sender:
            for start in range(0, EACH, 50):
                names = (f"{producer}-{n}" for n in range(start, start + 50))
                await sender.send_messages([ServiceBusMessage(name) for name in names])

    async def settle(receiver: ServiceBusReceiver, message: object, chance: random.Random) -> None:
        fate = chance.random()
        if fate < 0.8:
            await receiver.complete_message(message)
            done[str(message)] += 1
        elif fate < 0.95:
            await receiver.abandon_message(message)
        else:
            await receiver.dead_letter_message(message, reason="chance")
            dead[str(message)] += 1

    async def consume(client: ServiceBusClient, number: int) -> None:
        chance = random.Random(number)  # noqa: S311  repeatable, no secret
        prefetch = 20 if number % 2 else 0
        async with client.get_queue_receiver("perf", prefetch_count=prefetch) as receiver:
            while sum(done.values()) + sum(dead.values()) < total:
                got = await receiver.receive_messages(20, max_wait_time=0.5)
                for message in got:
                    await settle(receiver, message, chance)

    async with (
        serving(config_text()) as server,
        ServiceBusClient.from_connection_string(server.connection_string, **FAST) as client,
    ):
        async with asyncio.timeout(60):
            await asyncio.gather(
                *(produce(client, n) for n in range(PRODUCERS)),
                *(consume(client, n) for n in range(6)),
            )
        queue = server.namespace.find("perf")
        assert not queue.messages
        letters = client.get_queue_receiver("perf", sub_queue=ServiceBusSubQueue.DEAD_LETTER)
        async with letters:
            found = await take(letters, len(queue.dead_letters.messages))
    expected = {f"{producer}-{n}" for producer in range(PRODUCERS) for n in range(EACH)}
    buried = Counter(str(message) for message in found)
    # A tenth failed delivery would bury a message as well; both ways count once.
    assert buried.keys() >= dead.keys()
    assert set(done + buried) == expected
    assert set((done + buried).values()) == {1}
