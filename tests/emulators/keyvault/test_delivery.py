"""Events arrive in the Service Bus queue, through the real client and the emulated broker."""

import json
import ssl
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
from azure.servicebus import ServiceBusReceivedMessage
from azure.servicebus.aio import ServiceBusClient, ServiceBusReceiver

from emulators.clock import Clock
from emulators.keyvault.events import EXPIRED, NEAR_EXPIRY, NEW_VERSION
from emulators.servicebus.server import serving
from tests.emulators.keyvault.bench import Bench
from tests.emulators.keyvault.process import Process, running

QUEUE = "vault-events"
CONFIG: dict[str, Any] = {
    "UserConfig": {
        "Namespaces": [
            {
                "Name": "sbemulatorns",
                "Queues": [{"Name": QUEUE, "Properties": {}}],
                "Topics": [],
            }
        ],
        "Logging": {"Type": "Console"},
    }
}
DAY = timedelta(days=1)


async def received(receiver: ServiceBusReceiver) -> ServiceBusReceivedMessage:
    (message,) = await receiver.receive_messages(max_message_count=1, max_wait_time=20)
    await receiver.complete_message(message)
    return message


async def test_events_arrive_in_the_queue_once_per_version(bench: Bench) -> None:
    async with serving(CONFIG, port=0) as broker:
        where = {"connection": broker.connection_string, "queue": QUEUE}
        await bench.admin("POST", "/events", where)
        client = await bench.client()
        expiry = bench.issuer.clock.now() + 45 * DAY
        made = await client.set_secret("name", "open-sesame", expires_on=expiry)
        async with (
            ServiceBusClient.from_connection_string(broker.connection_string) as bus,
            bus.get_queue_receiver(QUEUE) as receiver,
        ):
            for kind, days in ((NEW_VERSION, 15), (NEAR_EXPIRY, 30), (EXPIRED, 30)):
                message = await received(receiver)
                assert message.content_type == "application/json; charset=utf-8"
                properties = message.application_properties or {}
                assert properties[b"aeg-event-type"] == b"Notification"
                assert "open-sesame" not in str(message)
                (event,) = json.loads(str(message))
                assert (event["eventType"], event["id"]) == (kind, message.message_id)
                assert event["data"]["Version"] == made.properties.version
                bench.issuer.clock.advance(days * DAY)
            assert await receiver.receive_messages(max_message_count=1, max_wait_time=1) == []


async def test_delivery_waits_for_the_broker(bench: Bench) -> None:
    """An event that finds no broker is kept, and sent once one is there."""
    async with serving(CONFIG, port=0) as broker:
        connection, port = broker.connection_string, broker.port
    where = {"connection": connection, "queue": QUEUE, "schema": "CloudEventSchemaV1_0"}
    await bench.admin("POST", "/events", where)
    client = await bench.client()
    await client.set_secret("name", "v")
    async with (
        serving(CONFIG, port=port),
        ServiceBusClient.from_connection_string(connection) as bus,
        bus.get_queue_receiver(QUEUE) as receiver,
    ):
        message = await received(receiver)
        assert message.content_type == "application/cloudevents+json; charset=utf-8"
        assert json.loads(str(message))["type"] == NEW_VERSION


async def test_process_delivers_when_another_process_moves_the_clock(tmp_path: Path) -> None:
    clock = Clock(tmp_path / "clock")
    async with serving(CONFIG, port=0) as broker:
        options = ["--tls", str(tmp_path / "tls"), "--clock", str(tmp_path / "clock")]
        options += ["--events-connection", broker.connection_string, "--events-odd-keys"]
        async with (
            running(*options, "--events-queue", QUEUE) as vault,
            ServiceBusClient.from_connection_string(broker.connection_string) as bus,
            bus.get_queue_receiver(QUEUE) as receiver,
        ):
            expiry = int((clock.now() + 45 * DAY).timestamp())
            await put(vault, {"value": "v", "attributes": {"exp": expiry}})
            (event,) = json.loads(str(await received(receiver)))
            assert event["eventType"] == NEW_VERSION
            clock.advance(15 * DAY)
            (event,) = json.loads(str(await received(receiver)))
            assert event["eventType"] == NEAR_EXPIRY
            assert event["data"]["ObjectName "] == "name"
            assert event["data"]["EXP"] == str(expiry)


async def put(vault: Process, body: dict[str, Any]) -> None:
    trust = ssl.create_default_context(cafile=vault.ready["ca_file"])
    url = f"{vault.ready['vault']}/secrets/name?api-version=2026-04-01"
    headers = {"Authorization": "Bearer any"}
    async with (
        aiohttp.ClientSession() as http,
        http.put(url, json=body, headers=headers, ssl=trust) as answer,
    ):
        assert answer.status == 200
