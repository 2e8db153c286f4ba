"""Builds the frames that the server sends."""

import struct
from typing import Any

from emulators.servicebus.amqp.encode import compound, encode
from emulators.servicebus.amqp.types import Array, Described, Raw, Symbol, UInt, ULong, UShort

SASL_HEADER = b"AMQP\x03\x01\x00\x00"
AMQP_HEADER = b"AMQP\x00\x01\x00\x00"
HEARTBEAT = b"\x00\x00\x00\x08\x02\x00\x00\x00"
MAX_FRAME_SIZE = 1_048_576
WINDOW = 2**31 - 1
"""Both own windows: pyamqp only ever counts them down."""

CHANNEL_MAX = 4999
HANDLE_MAX = 255
IDLE_TIME_OUT_MS = 240_000
_HEAD = struct.Struct(">IBBH")

ACCEPTED = b"\x00\x53\x24\x45"
REJECTED = b"\x00\x53\x25\x45"
RELEASED = b"\x00\x53\x26\x45"
MODIFIED = b"\x00\x53\x27\x45"


def frame(channel: int, body: bytes) -> bytes:
    """Answer an AMQP frame."""
    return _HEAD.pack(len(body) + 8, 2, 0, channel) + body


def error(condition: str, description: str) -> Described:
    """Answer an AMQP error with all three fields: pyamqp hangs on a shorter one."""
    return Described(ULong(0x1D), [Symbol(condition), description, {}])


def rejected(condition: str, description: str) -> bytes:
    """Answer the outcome of a message or settlement that was refused."""
    return encode(Described(ULong(0x25), [error(condition, description)]))


def sasl_mechanisms() -> bytes:
    names = [b"ANONYMOUS", b"PLAIN", b"MSSBCBS", b"EXTERNAL"]
    body = encode(Described(ULong(0x40), [Array(0xB3, names)]))
    return _HEAD.pack(len(body) + 8, 2, 1, 0) + body


def sasl_outcome() -> bytes:
    body = b"\x00\x53\x44\xc0\x03\x01\x50\x00"
    return _HEAD.pack(len(body) + 8, 2, 1, 0) + body


def open_(container_id: str) -> bytes:
    fields = [
        container_id, None, UInt(MAX_FRAME_SIZE), UShort(CHANNEL_MAX), UInt(IDLE_TIME_OUT_MS),
    ]  # fmt: skip
    return frame(0, encode(Described(ULong(0x10), fields)))


def begin(channel: int, remote_channel: int) -> bytes:
    fields = [UShort(remote_channel), UInt(0), UInt(WINDOW), UInt(WINDOW), UInt(HANDLE_MAX)]
    return frame(channel, encode(Described(ULong(0x11), fields)))


def attach(channel: int, fields: list[Any]) -> bytes:
    return frame(channel, encode(Described(ULong(0x12), fields)))


def flow(channel: int, fields: list[Any]) -> bytes:
    return frame(channel, encode(Described(ULong(0x13), fields)))


def transfers(
    handle: int, delivery_id: int, tag: bytes, payload: bytes, *, settled: bool, max_frame_size: int
) -> list[bytes]:
    """Answer the bodies of the frames that carry one message."""
    flag = b"\x41" if settled else b"\x42"
    number = b"\x70" + handle.to_bytes(4)
    start = number + b"\x70" + delivery_id.to_bytes(4) + b"\xa0" + bytes((len(tag),)) + tag
    single = b"\x00\x53\x14" + compound(0xC0, 6, start + b"\x43" + flag + b"\x42")
    if len(single) + len(payload) + 8 <= max_frame_size:
        return [single + payload]
    room = max_frame_size - 8 - len(single)
    pieces = [payload[at : at + room] for at in range(0, len(payload), room)]
    first = b"\x00\x53\x14" + compound(0xC0, 6, start + b"\x43" + flag + b"\x41")
    bodies = [first + pieces[0]]
    for index, piece in enumerate(pieces[1:], 2):
        more = b"\x42" if index == len(pieces) else b"\x41"
        middle = number + b"\x40\x40\x40" + flag + more
        bodies.append(b"\x00\x53\x14" + compound(0xC0, 6, middle) + piece)
    return bodies


def disposition(channel: int, *, role: bool, first: int, last: int, outcome: bytes) -> bytes:
    """Answer a settled disposition for the deliveries *first* to *last*."""
    who = b"\x41" if role else b"\x42"
    numbers = b"\x70" + first.to_bytes(4) + b"\x70" + last.to_bytes(4)
    body = compound(0xC0, 5, who + numbers + b"\x41" + outcome)
    return frame(channel, b"\x00\x53\x15" + body)


def detach(channel: int, handle: int, *, closed: bool, why: Described | None = None) -> bytes:
    return frame(channel, encode(Described(ULong(0x16), [UInt(handle), closed, why])))


def end(channel: int, why: Described | None = None) -> bytes:
    return frame(channel, encode(Described(ULong(0x17), [why])))


def close(why: Described | None = None) -> bytes:
    return frame(0, encode(Described(ULong(0x18), [why])))


NULL = Raw(b"\x40")
