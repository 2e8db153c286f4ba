"""Tables: rows sorted by key in compressed blocks, with an index, in one blob that is written once.

A block holds its keys and, behind them, its rows, both as lines; it is compressed on its own. A
key is ``<id>\t<voucher>``, a row is JSON, as `blob_sections` says. The index behind the blocks
has the first key of each, so that a reader fetches only the bytes that hold what it looks for.
"""

import asyncio
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from shared.planning.snapshots import Table

if TYPE_CHECKING:
    from azure.storage.blob.aio import ContainerClient

BLOCK = 1 << 17
"""Bytes of text in a block: some 300 accounts. Larger ones cost more where one row is looked up."""

PART = 4 << 20
"""Bytes that are sent at once: a request costs as much time as some megabytes of them."""

LEVEL = 1
"""Of zstandard: a fourth of the time of zlib's lowest, for text a fifth smaller."""

KEY = 45
"""Bytes of a key, about: an id and who vouches for it."""

LENGTH = 4
"""Bytes in front of a block's text: how long its keys are."""


class Block(msgspec.Struct, array_like=True, frozen=True):
    """Where a block is."""

    first: str  # key
    offset: int
    length: int
    rows: int


class Segment(msgspec.Struct, frozen=True):
    """Some rows of a table, in order."""

    keys: list[str]
    rows: list[bytes]


class Codec:
    """Packs and unpacks blocks; of one task, as the compressor keeps state while it works."""

    def __init__(self) -> None:
        import zstandard

        self._compress: Any = zstandard.ZstdCompressor(level=LEVEL).compress
        self._decompress: Any = zstandard.ZstdDecompressor().decompress

    def pack(self, keys: Sequence[str], rows: Sequence[bytes]) -> bytes:
        head = "\n".join(keys).encode()
        packed: bytes = self._compress(
            b"".join((len(head).to_bytes(LENGTH), head, b"\n".join(rows)))
        )
        return packed

    def unpack(self, packed: bytes | memoryview) -> Segment:
        text: bytes = self._decompress(packed)
        end = LENGTH + int.from_bytes(text[:LENGTH])
        return Segment(text[LENGTH:end].decode().split("\n"), text[end:].split(b"\n"))

    def pack_index(self, blocks: Sequence[Block]) -> bytes:
        packed: bytes = self._compress(msgspec.json.encode(blocks))
        return packed

    def unpack_index(self, packed: bytes) -> list[Block]:
        return msgspec.json.decode(self._decompress(packed), type=list[Block])


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
        self._blocks: list[Block] = []
        self._sent: list[str] = []
        self._sending: asyncio.Future[Any] | None = None

    async def add(self, keys: Sequence[str], rows: Sequence[bytes]) -> None:
        self.rows += len(keys)
        self._keys += keys
        self._rows += rows
        self._text += sum(map(len, rows)) + KEY * len(keys)
        if self._text >= BLOCK:
            await self._pack(self._text // BLOCK)

    async def close(self) -> Table | None:
        """The table when all of it is stored; None without rows."""
        if self._keys:
            await self._pack(1)
        if not self.rows:
            return None
        index = self._codec.pack_index(self._blocks)
        self._part += index
        blob = self._container.get_blob_client(self._name)
        if self._sent:
            await self._send(bytes(self._part))
            await self._settled()
            from azure.storage.blob import BlobBlock

            await blob.commit_block_list([BlobBlock(one) for one in self._sent])
        else:
            await blob.upload_blob(bytes(self._part), overwrite=True)
        size = self._size + len(index)
        return Table(name=self._name, rows=self.rows, size=size, index=self._size)

    async def _pack(self, blocks: int) -> None:
        """All that waits, as so many blocks."""
        length = -(-len(self._keys) // blocks)
        for start in range(0, len(self._keys), length):
            keys = self._keys[start : start + length]
            packed = self._codec.pack(keys, self._rows[start : start + length])
            self._blocks.append(Block(keys[0], self._size, len(packed), len(keys)))
            self._size += len(packed)
            self._part += packed
            while len(self._part) >= PART:
                await self._send(bytes(self._part[:PART]))
                del self._part[:PART]
        self._keys, self._rows, self._text = [], [], 0

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
