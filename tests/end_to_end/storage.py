"""Everything that is stored anywhere in a local cloud, as bytes."""

import gzip
from collections.abc import AsyncIterator
from pathlib import Path

from tests.end_to_end.local import Local


async def rows(local: Local, table: str) -> list[dict[str, object]]:
    from azure.data.tables.aio import TableClient

    async with TableClient.from_connection_string(
        local.state["storage_connection_string"], table
    ) as client:
        return [dict(row) async for row in client.list_entities()]


async def tables(local: Local) -> AsyncIterator[tuple[str, bytes]]:
    from azure.data.tables.aio import TableServiceClient

    async with TableServiceClient.from_connection_string(
        local.state["storage_connection_string"]
    ) as client:
        names = [table.name async for table in client.list_tables()]
    for name in names:
        for row in await rows(local, name):
            yield f"table {name}", repr(row).encode()


async def blobs(local: Local) -> AsyncIterator[tuple[str, bytes]]:
    from azure.storage.blob.aio import BlobServiceClient

    async with BlobServiceClient.from_connection_string(
        local.state["storage_connection_string"]
    ) as client:
        async for container in client.list_containers():
            inside = client.get_container_client(container.name)
            async for blob in inside.list_blobs():
                data = await (await inside.download_blob(blob.name)).readall()
                yield f"blob {blob.name}", gzip.decompress(data) if _zipped(data) else data


def _zipped(data: bytes) -> bool:
    return data.startswith(b"\x1f\x8b")


async def messages(local: Local, queues: list[str]) -> AsyncIterator[tuple[str, bytes]]:
    """Whatever waits in a queue or its dead-letter queue, and every event on the topic."""
    from azure.servicebus import ServiceBusSubQueue
    from azure.servicebus.aio import ServiceBusClient

    connection = local.state["servicebus_connection_string"]
    async with ServiceBusClient.from_connection_string(connection) as client:
        for queue in queues:
            dead = client.get_queue_receiver(queue, sub_queue=ServiceBusSubQueue.DEAD_LETTER)
            async with dead:
                for message in await dead.peek_messages(max_message_count=200):
                    yield f"dead letters of {queue}", repr(message).encode()
        async with client.get_subscription_receiver("events", "all") as events:
            for message in await events.peek_messages(max_message_count=250):
                yield "event", b"".join(message.body)


def files(folder: Path) -> list[tuple[str, bytes]]:
    """Logs and stores on disk, except the vault's own and the certificates."""
    return [
        (str(file), file.read_bytes())
        for file in folder.rglob("*")
        if file.is_file() and "tls" not in file.parts
    ]
