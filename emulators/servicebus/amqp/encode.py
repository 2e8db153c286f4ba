"""Encodes Python values as AMQP 1.0."""

import struct
from collections.abc import Callable
from typing import Any
from uuid import UUID

from emulators.servicebus.amqp.types import (
    Array,
    Byte,
    Char,
    Decimal,
    Described,
    Float32,
    Long,
    Raw,
    Short,
    Symbol,
    Timestamp,
    UByte,
    UInt,
    ULong,
    UShort,
)

STRING, SYMBOL, LONG, TIMESTAMP, UUID_CODE = 0xB1, 0xB3, 0x81, 0x83, 0x98
"""Constructors for the arrays that Service Bus answers with."""


def encode(value: Any) -> bytes:
    """Answer the encoded *value*; the type of the value chooses the AMQP type."""
    return _ENCODERS[type(value)](value)


def _packed(code: int, layout: str) -> Callable[[Any], bytes]:
    pack = struct.Struct(">B" + layout).pack
    return lambda value: pack(code, value)


def _int(value: int) -> bytes:
    if -128 <= value <= 127:
        return struct.pack(">Bb", 0x54, value)
    if -0x80000000 <= value <= 0x7FFFFFFF:
        return struct.pack(">Bi", 0x71, value)
    return struct.pack(">Bq", 0x81, value)


def _long(value: int) -> bytes:
    return struct.pack(">Bb", 0x55, value) if -128 <= value <= 127 else _wide_long(value)


_wide_long = _packed(0x81, "q")


def _uint(value: int) -> bytes:
    if value == 0:
        return b"\x43"
    return bytes((0x52, value)) if value < 256 else struct.pack(">BI", 0x70, value)


def _ulong(value: int) -> bytes:
    if value == 0:
        return b"\x44"
    return bytes((0x53, value)) if value < 256 else struct.pack(">BQ", 0x80, value)


def _text(code: int, data: bytes) -> bytes:
    """Short form below 256 bytes; the long constructor has the high nibble b instead of a."""
    if len(data) < 256:
        return bytes((code, len(data))) + data
    return struct.pack(">BI", code + 0x10, len(data)) + data


def compound(code: int, count: int, body: bytes) -> bytes:
    """Answer a list (0xc0) or map (0xc1) of *count* encoded elements."""
    if count < 256 and len(body) < 255:
        return bytes((code, len(body) + 1, count)) + body
    return struct.pack(">BII", code + 0x10, len(body) + 4, count) + body


def _list(items: list[Any] | tuple[Any, ...]) -> bytes:
    if not items:
        return b"\x45"
    return compound(0xC0, len(items), b"".join(map(encode, items)))


def _map(items: dict[Any, Any]) -> bytes:
    body = b"".join(encode(key) + encode(value) for key, value in items.items())
    return compound(0xC1, 2 * len(items), body)


def _array(items: Array) -> bytes:
    body = b"".join(_element(items.code, item) for item in items)
    return struct.pack(">BIIB", 0xF0, len(body) + 5, len(items), items.code) + body


_ELEMENT_LAYOUTS = {
    0x50: "B", 0x51: "b", 0x52: "B", 0x53: "B", 0x54: "b", 0x55: "b", 0x56: "B", 0x60: "H",
    0x61: "h", 0x70: "I", 0x71: "i", 0x72: "f", 0x80: "Q", LONG: "q", 0x82: "d", TIMESTAMP: "q",
}  # fmt: skip


def _element(code: int, item: Any) -> bytes:
    """Answer one array element: its value without the constructor."""
    if code in _ELEMENT_LAYOUTS:
        return struct.pack(">" + _ELEMENT_LAYOUTS[code], item)
    if code == UUID_CODE:
        return bytes(item.bytes)
    kind = code >> 4
    if kind in {0xA, 0xB}:
        data = item if isinstance(item, bytes) else item.encode()
        return struct.pack(">B" if kind == 0xA else ">I", len(data)) + data
    if kind == 0x4:
        return b""
    raise TypeError(f"arrays with constructor 0x{code:02x} are not written")


def _described(item: Described) -> bytes:
    return b"\x00" + encode(item.descriptor) + encode(item.value)


def _decimal(data: bytes) -> bytes:
    return bytes(({4: 0x74, 8: 0x84, 16: 0x94}[len(data)],)) + data


_ENCODERS: dict[type, Callable[[Any], bytes]] = {
    type(None): lambda _: b"\x40",
    bool: lambda value: b"\x41" if value else b"\x42",
    int: _int,
    float: _packed(0x82, "d"),
    str: lambda value: _text(0xA1, value.encode()),
    bytes: lambda value: _text(0xA0, value),
    UUID: lambda value: b"\x98" + value.bytes,
    list: _list,
    tuple: _list,
    dict: _map,
    Symbol: lambda value: _text(0xA3, value.encode("ascii")),
    Char: lambda value: struct.pack(">BI", 0x73, ord(value)),
    Timestamp: _packed(TIMESTAMP, "q"),
    UByte: _packed(0x50, "B"),
    UShort: _packed(0x60, "H"),
    UInt: _uint,
    ULong: _ulong,
    Byte: _packed(0x51, "b"),
    Short: _packed(0x61, "h"),
    Long: _long,
    Float32: _packed(0x72, "f"),
    Decimal: _decimal,
    Raw: bytes,
    Array: _array,
    Described: _described,
}
