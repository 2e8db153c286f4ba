"""Azurite through the real clients: tables with ETags and batches, blobs as streams, crashes."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from azure.core import MatchConditions
from azure.core.exceptions import (
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.data.tables import TableTransactionError, UpdateMode
from azure.data.tables.aio import TableClient, TableServiceClient
from azure.storage.blob.aio import BlobServiceClient

from emulators.azurite.server import Azurite, serving

ROOT = Path(__file__).parents[3]
MIB = 1024 * 1024


@pytest.fixture
async def azurite(tmp_path: Path) -> AsyncIterator[Azurite]:
    async with serving(tmp_path / "data") as running:
        yield running


@asynccontextmanager
async def table(azurite: Azurite) -> AsyncIterator[TableClient]:
    async with TableServiceClient.from_connection_string(azurite.connection_string) as service:
        yield await service.create_table_if_not_exists("ledger")


def blobs(azurite: Azurite) -> BlobServiceClient:
    """In blocks of 1 MiB: aiohttp warns of larger bodies."""
    return BlobServiceClient.from_connection_string(
        azurite.connection_string, max_single_put_size=MIB, max_block_size=MIB
    )


def row(key: int | str, **columns: object) -> dict[str, object]:
    return {"PartitionKey": "p", "RowKey": str(key), **columns}


async def test_entities_are_created_read_and_guarded_by_etag(azurite: Azurite) -> None:
    async with table(azurite) as client:
        await client.create_entity(row("r", count=1))
        with pytest.raises(ResourceExistsError):
            await client.create_entity(row("r", count=1))
        read = await client.get_entity("p", "r")
        first = read.metadata["etag"]
        condition = {"etag": first, "match_condition": MatchConditions.IfNotModified}
        await client.update_entity(row("r", count=2), mode=UpdateMode.REPLACE, **condition)
        with pytest.raises(ResourceModifiedError):
            await client.update_entity(row("r", count=3), mode=UpdateMode.REPLACE, **condition)
        assert (await client.get_entity("p", "r"))["count"] == 2
        with pytest.raises(ResourceNotFoundError):
            await client.get_entity("p", "absent")


async def test_a_batch_is_done_as_a_whole_or_not_at_all(azurite: Azurite) -> None:
    async with table(azurite) as client:
        await client.submit_transaction([("create", row(key, n=key)) for key in range(50)])
        with pytest.raises(TableTransactionError):
            await client.submit_transaction([("create", row("new")), ("create", row(7))])
        found = client.query_entities("PartitionKey eq 'p'")
        assert {entity["RowKey"] async for entity in found} == {str(key) for key in range(50)}


async def test_due_index_is_read_by_range(azurite: Azurite) -> None:
    async with table(azurite) as client:
        for key in ("2026-01", "2026-02", "2026-03"):
            await client.upsert_entity(row(key))
        found = client.query_entities("PartitionKey eq 'p' and RowKey lt '2026-03'")
        assert [entity["RowKey"] async for entity in found] == ["2026-01", "2026-02"]


async def test_blobs_are_uploaded_in_blocks_and_streamed(azurite: Azurite) -> None:
    async def source() -> AsyncIterator[bytes]:
        for number in range(9):
            yield bytes([number]) * MIB

    async with blobs(azurite) as service:
        container = await service.create_container("accounts")
        blob = container.get_blob_client("snapshot")
        await blob.upload_blob(source(), length=9 * MIB)
        stream = await blob.download_blob()
        read = b"".join([chunk async for chunk in stream.chunks()])
        assert read == b"".join([chunk async for chunk in source()])
        assert [b.name async for b in container.list_blobs()] == ["snapshot"]


async def test_blob_writes_are_guarded_by_etag(azurite: Azurite) -> None:
    async with blobs(azurite) as service:
        container = await service.create_container("cursors")
        blob = container.get_blob_client("cursor")
        first = await blob.upload_blob(b"1")
        with pytest.raises(ResourceExistsError):
            await blob.upload_blob(b"2")
        condition = {"etag": first["etag"], "match_condition": MatchConditions.IfNotModified}
        await blob.upload_blob(b"2", overwrite=True, **condition)
        with pytest.raises(ResourceModifiedError):
            await blob.upload_blob(b"3", overwrite=True, **condition)


async def test_acknowledged_writes_outlive_a_kill(azurite: Azurite) -> None:
    before, address = azurite.pid, azurite.connection_string
    async with table(azurite) as client:
        await asyncio.gather(*(client.create_entity(row(key)) for key in range(40)))
    async with blobs(azurite) as service:
        container = await service.create_container("accounts")
        await container.upload_blob("snapshot", b"data")
    await azurite.kill()
    with pytest.raises(ProcessLookupError):
        os.kill(before, 0)
    await azurite.restart()
    assert azurite.pid != before
    assert azurite.connection_string == address
    async with table(azurite) as client:
        assert len([entity async for entity in client.list_entities()]) == 40
    async with blobs(azurite) as service:
        stream = await service.get_blob_client("accounts", "snapshot").download_blob()
        assert await stream.readall() == b"data"


async def listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionRefusedError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
async def test_process_takes_azurite_with_it(tmp_path: Path, how: signal.Signals) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "emulators.azurite", "--folder", str(tmp_path)),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(120):
            ready = json.loads(await process.stdout.readline())
        assert ready["ready"]
        service = BlobServiceClient.from_connection_string(ready["connection_string"])
        async with service:
            await service.create_container("any")
        process.send_signal(how)
        async with asyncio.timeout(30):
            expected = 0 if how is signal.SIGTERM else -signal.SIGKILL
            assert await process.wait() == expected
            # Its end is its own doing, and nobody tells us of it.
            while await listens(ready["port"]):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
