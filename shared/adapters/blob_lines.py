"""Rows as lines of JSON in gzipped blobs: written whole, read a piece at a time."""

import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

import msgspec

from shared.errors import TryLater

if TYPE_CHECKING:
    from azure.storage.blob.aio import ContainerClient

T = TypeVar("T")

GZIP = 31
"""zlib's window bits for the gzip format."""

PIECE = 1 << 18
"""Bytes unpacked at a time: an account's line is a few hundred."""

PARTS = {"max_single_put_size": 4 << 20, "max_block_size": 4 << 20}
"""Options of the blob client: a larger body would hold up the event loop while it is sent."""


async def lines(container: "ContainerClient", name: str, type_: type[T]) -> AsyncIterator[T]:
    """A chunk of the blob and a piece of its text in memory, however long it is."""
    stream = await container.get_blob_client(name).download_blob()
    decoder, inflate, rest = msgspec.json.Decoder(type_), zlib.decompressobj(GZIP), b""
    async for chunk in stream.chunks():
        for text in _unpacked(inflate, chunk):
            *whole, rest = (rest + text).split(b"\n")
            for line in whole:
                yield decoder.decode(line)


def _unpacked(inflate: "zlib._Decompress", chunk: bytes) -> Iterator[bytes]:
    while True:
        text = inflate.decompress(chunk, PIECE)
        chunk = inflate.unconsumed_tail
        yield text
        if not chunk and len(text) < PIECE:
            return


@contextmanager
def storage_errors(doing: str) -> Iterator[None]:
    from azure.core.exceptions import AzureError

    try:
        yield
    except AzureError as error:
        raise TryLater("STORAGE_UNAVAILABLE", f"{doing}: {error}") from error
