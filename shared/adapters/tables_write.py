"""Writes tables: rows that come in order, packed into blocks and sent in parts."""

import asyncio
import uuid
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from shared.adapters.tables import BLOCK, KEY, Block, Codec, Segment
from shared.planning.snapshots import Table

if TYPE_CHECKING:
    from azure.storage.blob.aio import ContainerClient

PART = 4 << 20
"""Bytes that are sent at once: a request costs as much time as some megabytes of them."""

TOGETHER = 16
"""Blocks that are packed in one go, in some ten milliseconds."""


class TableWriter:
    """Writes rows that come in order; one part is sent while the next one is packed."""

    def __init__(self, container: "ContainerClient", name: str, codec: Codec) -> None:
        self.rows = 0
        self._container, self._name, self._codec = container, name, codec
        self._keys: list[str] = []
        self._rows: list[bytes] = []
        self._text = 0  # bytes that wait to be packed
        self._size = 0  # bytes that were packed
        self._part = bytearray()
        self.blocks: list[Block] = []
        self._sent: list[str] = []
        self._sending: asyncio.Future[Any] | None = None
        self.whole = b""
        """All of the table when it is closed, if it was sent in one request."""

    async def add(self, keys: Sequence[str], rows: Sequence[bytes]) -> None:
        self.rows += len(keys)
        self._keys += keys
        self._rows += rows
        self._text += sum(map(len, rows)) + KEY * len(keys)
        if self._text >= BLOCK:
            await self._pack(self._text // BLOCK)

    async def add_listed(self, found: Segment, size: int, others: Segment) -> None:
        """Listed users, of *size* bytes, in order with what others say of anybody."""
        if not found.rows:
            await self.add(others.keys, others.rows)
            return
        if self._keys:
            await self._pack(1)
        self.rows += len(found.rows) + len(others.rows)
        length = -(-len(found.rows) // max(size // BLOCK, 1))
        await self._put_all(list(_together(found, others, length)))

    async def _put_all(self, parts: Sequence[Segment]) -> None:
        """Not in threads: each keeps memory of its own, a fifth of what a large scan may have."""
        for number, part in enumerate(parts, start=1):
            packed = self._codec.pack_segment(part)
            rows, by = len(part.rows), part.vouchers
            await self._put(Block(part.first, self._size, len(packed), rows, by), packed)
            if number % TOGETHER == 0:
                await asyncio.sleep(0)  # others have their turn, and parts are sent meanwhile

    async def close(self) -> Table | None:
        """The table when all of it is stored; None without rows."""
        if self._keys:
            await self._pack(1)
        if not self.rows:
            return None
        index = self._codec.pack_index(self.blocks)
        self._part += index
        blob = self._container.get_blob_client(self._name)
        if self._sent:
            await self._send(bytes(self._part))
            await self._settled()
            from azure.storage.blob import BlobBlock

            await blob.commit_block_list([BlobBlock(one) for one in self._sent])
        else:
            self.whole = bytes(self._part)
            await blob.upload_blob(self.whole, overwrite=True)
        size = self._size + len(index)
        return Table(name=self._name, rows=self.rows, size=size, index=self._size)

    async def _pack(self, blocks: int) -> None:
        """All that waits, as so many blocks."""
        waiting = Segment(self._keys, self._rows)
        self._keys, self._rows, self._text = [], [], 0
        length = -(-len(waiting.rows) // blocks)
        starts = range(0, len(waiting.rows), length)
        await self._put_all([waiting.part(start, start + length) for start in starts])

    async def _put(self, block: Block, packed: bytes) -> None:
        self.blocks.append(block)
        self._size += len(packed)
        self._part += packed
        while len(self._part) >= PART:
            await self._send(bytes(self._part[:PART]))
            del self._part[:PART]

    async def _send(self, part: bytes) -> None:
        await self._settled()
        id_ = f"{len(self._sent):06d}"
        self._sent.append(id_)
        blob = self._container.get_blob_client(self._name)
        self._sending = asyncio.ensure_future(blob.stage_block(id_, part))

    async def _settled(self) -> None:
        if self._sending is not None:
            await self._sending
            self._sending = None


def new_table(folder: str, what: str) -> str:
    """A name that no other writer has: a repeated attempt must not touch what the first wrote."""
    return f"{folder}{what}-{uuid.uuid4().hex[:12]}"


def _together(found: Segment, others: Segment, length: int) -> Iterator[Segment]:
    """Blocks of so many listed users; with keys where others say something of that range."""
    passed = 0
    for at in range(0, len(found.rows), length):
        part = found.part(at, at + length)
        end = len(others.rows)
        if at + length < len(found.rows):
            end = others.find(found.part(at + length, at + length + 1).id, passed)
        more = others.part(passed, end)
        passed = end
        yield part.joined(more) if more.rows else part
