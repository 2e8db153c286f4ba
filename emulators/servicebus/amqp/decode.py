"""Decodes AMQP values out of bytes that a peer controls."""

import struct
from collections.abc import Callable
from typing import Any
from uuid import UUID

from emulators.servicebus.amqp.errors import DecodeError
from emulators.servicebus.amqp.types import (
    Array,
    Byte,
    Char,
    Decimal,
    Described,
    Float32,
    Long,
    Short,
    Symbol,
    Timestamp,
    UByte,
    UInt,
    ULong,
    UShort,
)

MAX_DEPTH = 32
MAX_EMPTY_ELEMENTS = 1024
"""Elements without bytes (null, true, zero) that an array may have: their count costs nothing."""

Decoder = Callable[[bytes, int, int], tuple[Any, int]]

_U32 = struct.Struct(">I").unpack_from


def decode(buffer: bytes, position: int = 0, depth: int = 0) -> tuple[Any, int]:
    """Answer the value at *position* and the position after it."""
    try:
        return _value(buffer, position, depth)
    except (IndexError, struct.error) as error:
        raise DecodeError("the value is cut off") from error
    except UnicodeDecodeError as error:
        raise DecodeError("a string or symbol is not valid text") from error


def skip(buffer: bytes, position: int, depth: int = 0) -> int:
    """Answer the position after the value, without decoding it."""
    try:
        code = buffer[position]
        if code == 0:
            if depth >= MAX_DEPTH:
                raise DecodeError("values are nested too deeply")
            return skip(buffer, skip(buffer, position + 1, depth + 1), depth + 1)
        kind = code >> 4
        if kind in _FIXED_WIDTH:
            end = position + 1 + _FIXED_WIDTH[kind]
        elif kind in {0xA, 0xC, 0xE}:
            end = position + 2 + buffer[position + 1]
        elif kind in {0xB, 0xD, 0xF}:
            end = position + 5 + _U32(buffer, position + 1)[0]
        else:
            raise DecodeError(f"unknown type code 0x{code:02x}")
    except (IndexError, struct.error) as error:
        raise DecodeError("the value is cut off") from error
    if end > len(buffer):
        raise DecodeError("the value is longer than the bytes that follow")
    return end


def spans(buffer: bytes, position: int) -> tuple[list[tuple[int, int]], int]:
    """Answer the (start, end) of each element of the list or map at *position*, and its end."""
    try:
        count, inner, end = _compound(buffer, position, buffer[position])
    except (IndexError, struct.error) as error:
        raise DecodeError("the list is cut off") from error
    found = []
    for _ in range(count):
        after = skip(buffer, inner)
        found.append((inner, after))
        inner = after
    if inner != end:
        raise DecodeError("the size of a list or map does not fit its elements")
    return found, end


_FIXED_WIDTH = {4: 0, 5: 1, 6: 2, 7: 4, 8: 8, 9: 16}


def _value(buffer: bytes, position: int, depth: int) -> tuple[Any, int]:
    decoder = _DECODERS.get(buffer[position])
    if decoder is None:
        raise DecodeError(f"unknown type code 0x{buffer[position]:02x}")
    return decoder(buffer, position + 1, depth)


def _constant(value: Any) -> Decoder:
    return lambda _buffer, position, _depth: (value, position)


def _number(layout: str, kind: Callable[[Any], Any]) -> Decoder:
    packed = struct.Struct(">" + layout)
    unpack, size = packed.unpack_from, packed.size
    return lambda buffer, position, _depth: (kind(unpack(buffer, position)[0]), position + size)


def _raw(size: int, kind: Callable[[bytes], Any]) -> Decoder:
    def read(buffer: bytes, position: int, _depth: int) -> tuple[Any, int]:
        return kind(_slice(buffer, position, size)), position + size

    return read


def _short_text(kind: Callable[[bytes], Any]) -> Decoder:
    def read(buffer: bytes, position: int, _depth: int) -> tuple[Any, int]:
        size = buffer[position]
        return kind(_slice(buffer, position + 1, size)), position + 1 + size

    return read


def _long_text(kind: Callable[[bytes], Any]) -> Decoder:
    def read(buffer: bytes, position: int, _depth: int) -> tuple[Any, int]:
        size = _U32(buffer, position)[0]
        return kind(_slice(buffer, position + 4, size)), position + 4 + size

    return read


def _slice(buffer: bytes, position: int, size: int) -> bytes:
    end = position + size
    if end > len(buffer):
        raise DecodeError("the value is longer than the bytes that follow")
    return buffer[position:end]


def _compound(buffer: bytes, position: int, code: int) -> tuple[int, int, int]:
    """Answer count, position of the first element, and end of a list, map or array."""
    if code == 0x45:
        return 0, position + 1, position + 1
    if code in {0xC0, 0xC1, 0xE0}:
        start = position + 2
        end, count, inner = start + buffer[position + 1], buffer[position + 2], position + 3
    elif code in {0xD0, 0xD1, 0xF0}:
        start = position + 5
        end = start + _U32(buffer, position + 1)[0]
        count, inner = _U32(buffer, start)[0], start + 4
    else:
        raise DecodeError(f"0x{code:02x} is not a list or map")
    if end > len(buffer) or inner > end:
        raise DecodeError("the list or map is longer than the bytes that follow")
    if count > end - inner and code not in {0xE0, 0xF0}:
        raise DecodeError("more elements are announced than bytes follow")
    return count, inner, end


def _list(buffer: bytes, position: int, depth: int) -> tuple[list[Any], int]:
    if depth >= MAX_DEPTH:
        raise DecodeError("values are nested too deeply")
    count, inner, end = _compound(buffer, position - 1, buffer[position - 1])
    items = []
    for _ in range(count):
        item, inner = _value(buffer, inner, depth + 1)
        items.append(item)
    if inner != end:
        raise DecodeError("the size of a list or map does not fit its elements")
    return items, end


def _map(buffer: bytes, position: int, depth: int) -> tuple[dict[Any, Any], int]:
    items, end = _list(buffer, position, depth)
    if len(items) % 2:
        raise DecodeError("a map has a key without a value")
    try:
        return dict(zip(items[::2], items[1::2], strict=True)), end
    except TypeError as error:
        raise DecodeError("a list, map or array cannot be the key of a map") from error


def _array(buffer: bytes, position: int, depth: int) -> tuple[Array, int]:
    if depth >= MAX_DEPTH:
        raise DecodeError("values are nested too deeply")
    count, inner, end = _compound(buffer, position - 1, buffer[position - 1])
    if inner == end and count == 0:
        return Array(0x40, []), end
    code = buffer[inner]
    decoder = _DECODERS.get(code)
    if decoder is None or code == 0:
        raise DecodeError(f"0x{code:02x} cannot be the type of array elements")
    inner += 1
    width = _FIXED_WIDTH.get(code >> 4, 1)
    if count * width > end - inner or (width == 0 and count > MAX_EMPTY_ELEMENTS):
        raise DecodeError("more elements are announced than bytes follow")
    items = []
    for _ in range(count):
        item, inner = decoder(buffer, inner, depth + 1)
        items.append(item)
    if inner != end:
        raise DecodeError("the size of an array does not fit its elements")
    return Array(code, items), end


def _described(buffer: bytes, position: int, depth: int) -> tuple[Described, int]:
    if depth >= MAX_DEPTH:
        raise DecodeError("values are nested too deeply")
    descriptor, position = _value(buffer, position, depth + 1)
    value, position = _value(buffer, position, depth + 1)
    return Described(descriptor, value), position


def _string(data: bytes) -> str:
    return data.decode()


def _symbol(data: bytes) -> Symbol:
    return Symbol(data, "ascii")


def _uuid(data: bytes) -> UUID:
    return UUID(bytes=data)


def _char(point: int) -> Char:
    if point > 0x10FFFF:
        raise DecodeError("a char is no Unicode character")
    return Char(chr(point))


_DECODERS: dict[int, Decoder] = {
    0x00: _described,
    0x40: _constant(None),
    0x41: _constant(True),  # noqa: FBT003  a value of the wire, not a switch
    0x42: _constant(False),  # noqa: FBT003  same
    0x43: _constant(UInt(0)),
    0x44: _constant(ULong(0)),
    0x45: _list,
    0x50: _number("B", UByte),
    0x51: _number("b", Byte),
    0x52: _number("B", UInt),
    0x53: _number("B", ULong),
    0x54: _number("b", int),
    0x55: _number("b", Long),
    0x56: _number("B", bool),
    0x60: _number("H", UShort),
    0x61: _number("h", Short),
    0x70: _number("I", UInt),
    0x71: _number("i", int),
    0x72: _number("f", Float32),
    0x73: _number("I", _char),
    0x74: _raw(4, Decimal),
    0x80: _number("Q", ULong),
    0x81: _number("q", Long),
    0x82: _number("d", float),
    0x83: _number("q", Timestamp),
    0x84: _raw(8, Decimal),
    0x94: _raw(16, Decimal),
    0x98: _raw(16, _uuid),
    0xA0: _short_text(bytes),
    0xA1: _short_text(_string),
    0xA3: _short_text(_symbol),
    0xB0: _long_text(bytes),
    0xB1: _long_text(_string),
    0xB3: _long_text(_symbol),
    0xC0: _list,
    0xC1: _map,
    0xD0: _list,
    0xD1: _map,
    0xE0: _array,
    0xF0: _array,
}
