"""One Azurite for the store of discovered accounts, with a container for each test."""

import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from azure.storage.blob.aio import BlobServiceClient, ContainerClient

from emulators.azurite.server import Azurite, serving
from shared.adapters.blob_accounts import BlobAccounts
from shared.adapters.blob_lines import PARTS


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def azurite(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Azurite]:
    async with serving(tmp_path_factory.mktemp("azurite")) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="package")
async def container(azurite: Azurite) -> AsyncIterator[ContainerClient]:
    parts: dict[str, Any] = dict(PARTS)
    async with BlobServiceClient.from_connection_string(
        azurite.connection_string, **parts
    ) as service:
        made = service.get_container_client(f"accounts-{uuid.uuid4().hex}")
        await made.create_container()
        yield made


@pytest.fixture
def store(container: ContainerClient) -> BlobAccounts:
    return BlobAccounts(container)
