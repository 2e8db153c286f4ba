"""A blob container in memory: the few calls of the SDK that the account store makes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from azure.core.exceptions import (
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)


@dataclass
class FakeBlob:
    name: str
    body: bytes
    etag: str
    last_modified: datetime


@dataclass
class FakeContainer:
    """Stands in for ``ContainerClient``; *before_write* may raise, as a dying process would."""

    blobs: dict[str, FakeBlob] = field(default_factory=dict)
    parts: dict[tuple[str, str], bytes] = field(default_factory=dict)
    now: datetime = datetime(2026, 1, 5, tzinfo=UTC)
    before_write: Callable[[str], None] = lambda name: None
    requests: list[tuple[str, str, int]] = field(default_factory=list)  # verb, blob, bytes

    def get_blob_client(self, name: str) -> "FakeBlobClient":
        return FakeBlobClient(self, name)

    async def list_blobs(self, name_starts_with: str = "") -> AsyncIterator[FakeBlob]:
        self.requests.append(("list", name_starts_with, 0))
        for name in sorted(self.blobs):
            if name.startswith(name_starts_with) and name in self.blobs:
                yield self.blobs[name]

    async def list_blob_names(
        self, name_starts_with: str = "", *, results_per_page: int = 5000
    ) -> AsyncIterator[str]:
        async for blob in self.list_blobs(name_starts_with):
            yield blob.name

    def write(self, verb: str, name: str, size: int) -> None:
        self.before_write(name)
        self.requests.append((verb, name, size))


@dataclass
class FakeBlobClient:
    container: FakeContainer
    name: str

    async def upload_blob(
        self,
        body: bytes,
        *,
        overwrite: bool = False,
        etag: str = "",
        match_condition: Any = None,
    ) -> dict[str, str]:
        await asyncio.sleep(0)
        self.container.write("put", self.name, len(body))
        known = self.container.blobs.get(self.name)
        if match_condition is not None and (known is None or known.etag != etag):
            raise ResourceModifiedError("the condition is not met")
        if known is not None and not overwrite:
            raise ResourceExistsError("it exists")
        return self._store(body)

    async def stage_block(self, block_id: str, data: bytes) -> None:
        await asyncio.sleep(0)
        self.container.write("block", self.name, len(data))
        self.container.parts[self.name, block_id] = data

    async def commit_block_list(self, block_list: list[Any]) -> dict[str, str]:
        await asyncio.sleep(0)
        self.container.write("commit", self.name, 0)
        parts = [self.container.parts.pop((self.name, block.id)) for block in block_list]
        return self._store(b"".join(parts))

    async def download_blob(self, offset: int = 0, length: int | None = None) -> "FakeStream":
        await asyncio.sleep(0)
        known = self._known()
        end = len(known.body) if length is None else offset + length
        found = known.body[offset:end]
        self.container.requests.append(("get", self.name, len(found)))
        return FakeStream(found, known)

    async def delete_blob(self) -> None:
        await asyncio.sleep(0)
        self.container.write("delete", self.name, 0)
        self._known()
        del self.container.blobs[self.name]

    def _known(self) -> FakeBlob:
        known = self.container.blobs.get(self.name)
        if known is None:
            raise ResourceNotFoundError("it is not there")
        return known

    def _store(self, body: bytes) -> dict[str, str]:
        etag = f'"{len(self.container.requests)}"'
        made = FakeBlob(self.name, body, etag, self.container.now)
        self.container.blobs[self.name] = made
        return {"etag": etag}


@dataclass
class FakeStream:
    body: bytes
    properties: FakeBlob

    async def readall(self) -> bytes:
        return self.body
