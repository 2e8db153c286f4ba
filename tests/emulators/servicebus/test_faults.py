"""The optional faults."""

import pytest
from azure.servicebus import ServiceBusMessage
from azure.servicebus.aio import ServiceBusClient
from azure.servicebus.exceptions import ServiceBusServerBusyError

from emulators.servicebus.faults import Faults
from emulators.servicebus.server import serving
from tests.emulators.servicebus.entities import config_text
from tests.emulators.servicebus.peer import Peer

DETACH, CLOSE = 0x16, 0x18


async def test_busy_is_retried_by_the_sdk() -> None:
    faults = Faults(busy=0.5, seed=1)
    async with serving(config_text(), faults=faults) as server:
        patient = ServiceBusClient.from_connection_string(
            server.connection_string, retry_total=10, retry_backoff_factor=0.01
        )
        async with patient, patient.get_queue_sender("q1") as sender:
            for number in range(10):
                await sender.send_messages(ServiceBusMessage(str(number)))
        assert len(server.namespace.find("q1").messages) == 10
        faults.busy = 1
        hasty = ServiceBusClient.from_connection_string(server.connection_string, retry_total=0)
        async with hasty, hasty.get_queue_sender("q1") as sender:
            with pytest.raises(ServiceBusServerBusyError):
                await sender.send_messages(ServiceBusMessage("x"))


async def test_idle_link_and_idle_connection() -> None:
    faults = Faults(idle_link=0.1, idle_connection=0.2)
    async with serving(config_text(), faults=faults) as server, Peer(server.port) as peer:
        await peer.begin()
        await peer.attach_sender("q1")
        detach = await peer.expect(DETACH)
        assert detach[2].value[0] == "amqp:link:detach-forced"
        close = await peer.expect(CLOSE)
        assert close[0].value[0] == "amqp:connection:forced"
        await peer.closed()


async def test_token_deadline() -> None:
    faults = Faults(token_deadline=0.1)
    async with serving(config_text(), faults=faults) as server, Peer(server.port) as peer:
        await peer.begin()
        await peer.closed()
