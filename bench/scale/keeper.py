"""The floor that keeps what it reads: sorted by id, compressed, in one blob; nothing else.

No snapshot can be compared with the next one for less. What a whole run costs beyond it is for
resuming, memory that does not grow, history, changes, events and the ledger.
"""

import uuid
from typing import Any

import msgspec
import zstandard
from azure.storage.blob.aio import BlobServiceClient

from bench.scale.floor import Floor
from bench.scale.rounds import Rows
from shared.adapters.blob_lines import PARTS
from shared.adapters.tables import LEVEL

CONTAINER = "keeper"


class RawPage(msgspec.Struct):
    value: list[msgspec.Raw]


class Keeper(Floor):
    """All users; memory holds them, however many."""

    def __init__(self, target: dict[str, Any]) -> None:
        super().__init__(target, with_groups=False)
        options: dict[str, Any] = dict(PARTS)
        self._blobs = BlobServiceClient.from_connection_string(target["storage"], **options)

    async def open(self) -> None:
        await self._blobs.create_container(CONTAINER)

    async def read(self) -> Rows:
        self._kept: list[bytes] = []
        rows = await super().read()
        self._kept.sort()  # each begins with its id
        text = b"\n".join(self._kept)
        packed = zstandard.ZstdCompressor(level=LEVEL).compress(text)
        blob = self._blobs.get_blob_client(CONTAINER, uuid.uuid4().hex)
        await blob.upload_blob(packed)
        return rows

    async def close(self) -> None:
        await self._blobs.close()

    async def _fetched(self, link: str) -> bytes:
        page = await super()._fetched(link)
        self._kept += map(bytes, msgspec.json.decode(page, type=RawPage).value)
        return page
