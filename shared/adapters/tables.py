"""Tables: rows sorted by key in compressed blocks, with an index, in one blob that is written once.

A block holds its keys and, behind them, its rows, both as lines; it is compressed on its own. A
key is ``<id>\t<voucher>``, a row is JSON, as `tables_rows` says. A block of listed users has no
keys: its rows begin with the ids, and one voucher named them all. The index behind the blocks
has the first key of each, so that a reader fetches only the bytes that hold what it looks for.
"""

from bisect import bisect_left
from collections.abc import Collection, Sequence
from itertools import chain
from typing import Any

import msgspec

from shared.model.listed import ID, ids_of
from shared.model.scan import family

BLOCK = 1 << 17
"""Bytes of text in a block: some 300 accounts. Larger ones cost more where one row is looked up."""

LEVEL = 1
"""Of zstandard: a fourth of the time of zlib's lowest, for text a fifth smaller."""

KEY = 45
"""Bytes of a key, about: an id and who vouches for it."""

FAMILIES = 8
"""Of vouchers that the index names for a block: of more, it is likely to have anybody's."""

LENGTH = 4
"""Bytes in front of a block's text: how long its keys are."""


class Block(msgspec.Struct, array_like=True, frozen=True):
    """Where a block is."""

    first: str  # key
    offset: int
    length: int
    rows: int
    vouchers: tuple[str, ...] | None = None  # families of whose rows are in it; None: not known

    def has(self, vouchers: Collection[str]) -> bool:
        """Whether rows of one of these families may be in it."""
        if self.vouchers is None:
            return bool(vouchers)
        return any(by in vouchers for by in self.vouchers)


class Segment:
    """Some rows of a table, in order; of listed users with *by*, who vouches for all."""

    __slots__ = ("_keys", "by", "rows")

    def __init__(self, keys: list[str], rows: list[bytes], by: str = "") -> None:
        self._keys, self.rows, self.by = keys, rows, by

    @property
    def keys(self) -> list[str]:
        if self.by and self.rows and not self._keys:
            tail = f"\t{self.by}"
            text = f"{tail}\n".encode().join(ids_of(self.rows)).decode() + tail
            self._keys = text.split("\n")
        return self._keys

    @property
    def id(self) -> str:
        """Of its first row."""
        return self.rows[0][:ID].decode() if self.by else self._keys[0].partition("\t")[0]

    @property
    def first(self) -> str:
        """Key of its first row."""
        return f"{self.id}\t{self.by}" if self.by else self._keys[0]

    @property
    def vouchers(self) -> tuple[str, ...] | None:
        """Their families, as the index has them."""
        return (family(self.by),) if self.by else vouchers_of(self._keys)

    def find(self, key: str, start: int) -> int:
        """Where the first row is whose key is not in front of *key*."""
        if not self.by:
            return bisect_left(self._keys, key, start)
        tail = f"\t{self.by}".encode()
        return bisect_left(self.rows, key.encode(), start, key=lambda row: row[:ID] + tail)

    def part(self, start: int, end: int) -> "Segment":
        return Segment(self._keys[start:end], self.rows[start:end], self.by)

    def parts(self, ranges: Sequence[tuple[int, int]]) -> "Segment":
        """Several of them in one."""
        if len(ranges) == 1:
            return self.part(*ranges[0])
        keys = list(chain.from_iterable(self._keys[start:end] for start, end in ranges))
        rows = list(chain.from_iterable(self.rows[start:end] for start, end in ranges))
        return Segment(keys, rows, self.by)

    def joined(self, other: "Segment") -> "Segment":
        """The rows of both, in order; none of their keys are the same."""
        both = dict(zip(chain(self.keys, other.keys), chain(self.rows, other.rows), strict=True))
        keys = sorted(both)
        return Segment(keys, list(map(both.__getitem__, keys)))


def vouchers_of(keys: Sequence[str]) -> tuple[str, ...] | None:
    """Their families; None for too many. Usually all are of one, and need only be counted."""
    if not keys:
        return ()
    by = keys[0].partition("\t")[2]
    if ("\n".join(keys) + "\n").count(f"\t{by}\n") == len(keys):
        return (family(by),)
    found: set[str] = set()
    for key in keys:
        found.add(family(key.partition("\t")[2]))
        if len(found) > FAMILIES:
            return None
    return tuple(sorted(found))


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

    def pack_segment(self, found: Segment) -> bytes:
        if not found.by:
            return self.pack(found.keys, found.rows)
        head = bytes(LENGTH) + found.by.encode()
        packed: bytes = self._compress(b"\n".join((head, *found.rows)))
        return packed

    def unpack(self, packed: bytes | memoryview) -> Segment:
        text: bytes = self._decompress(packed)
        end = LENGTH + int.from_bytes(text[:LENGTH])
        if end == LENGTH:
            by, *rows = text[LENGTH:].split(b"\n")
            return Segment([], rows, by.decode())
        return Segment(text[LENGTH:end].decode().split("\n"), text[end:].split(b"\n"))

    def pack_index(self, blocks: Sequence[Block]) -> bytes:
        packed: bytes = self._compress(msgspec.json.encode(blocks))
        return packed

    def unpack_index(self, packed: bytes) -> list[Block]:
        return msgspec.json.decode(self._decompress(packed), type=list[Block])
