"""Blob storage of its own for a test: Azurite, and the client that the product uses."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from azure.storage.blob.aio import BlobServiceClient

from emulators.azurite.server import serving
from shared.adapters.blob_lines import PARTS


@asynccontextmanager
async def blob_service(folder: Path) -> AsyncIterator[BlobServiceClient]:
    """Its blobs are kept in *folder*."""
    parts: dict[str, Any] = dict(PARTS)
    async with (
        serving(folder) as azurite,
        BlobServiceClient.from_connection_string(azurite.connection_string, **parts) as service,
    ):
        yield service
