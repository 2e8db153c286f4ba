"""A message as the broker keeps it: a few facts, and the bare message byte for byte."""

import copy
import struct
import uuid
from enum import IntEnum
from typing import Any
from uuid import UUID

from emulators.servicebus.amqp.decode import decode, skip, spans
from emulators.servicebus.amqp.encode import compound, encode
from emulators.servicebus.amqp.errors import DecodeError
from emulators.servicebus.amqp.types import Symbol, UInt

HEADER, ANNOTATIONS, PROPERTIES, APPLICATION_PROPERTIES, DATA, FOOTER = (
    0x70, 0x72, 0x73, 0x74, 0x75, 0x78,
)  # fmt: skip
MESSAGE_ID, GROUP_ID = 0, 10
"""Positions in the properties section."""

SCHEDULED_TIME = "x-opt-scheduled-enqueue-time"
_BROKER_OWNED = {
    "x-opt-sequence-number", "x-opt-enqueue-sequence-number", "x-opt-enqueued-time",
    "x-opt-locked-until", "x-opt-message-state", "x-opt-deadletter-source", "x-opt-lock-token",
}  # fmt: skip


class State(IntEnum):
    """As numbered in ``x-opt-message-state``."""

    ACTIVE = 0
    DEFERRED = 1
    SCHEDULED = 2


class Message:
    """Mutable: one object lives in exactly one queue."""

    __slots__ = (
        "annotations", "bare", "delivery_count", "durable", "enqueue_sequence", "enqueued",
        "expires", "group_id", "lock", "locked_until", "message_id", "priority", "scheduled",
        "sequence", "source", "state", "ttl",
    )  # fmt: skip

    def __init__(self) -> None:
        self.durable = False
        self.priority = 4
        self.ttl: int | None = None
        self.annotations = b""  # the sender's own, encoded keys and values
        self.bare = b""
        self.message_id: Any = None
        self.group_id: str | None = None
        self.scheduled: int | None = None
        self.source: str | None = None
        self.sequence = 0
        self.enqueue_sequence: int | None = None
        self.enqueued = 0
        self.expires: int | None = None
        self.state = State.ACTIVE
        self.delivery_count = 0
        self.lock: UUID | None = None
        self.locked_until = 0

    def duplicate(self) -> "Message":
        """Answer an unlocked copy for another queue."""
        twin = copy.copy(self)
        twin.lock, twin.locked_until = None, 0
        twin.state = State.ACTIVE
        return twin

    def head(self) -> bytes:
        """Answer what the store keeps besides the bare message."""
        return encode(
            [self.durable, self.priority, self.ttl, self.annotations, self.source,
             self.enqueue_sequence],
        )  # fmt: skip


def restore(head: bytes, bare: bytes) -> Message:
    """Answer a stored message again."""
    message = Message()
    (message.durable, message.priority, message.ttl, message.annotations, message.source,
     message.enqueue_sequence) = decode(head)[0]  # fmt: skip
    message.bare = bare
    _read_properties(message)
    return message


def parse(payload: bytes) -> Message:
    """Answer the message that a client sent."""
    message = Message()
    found = sections(payload)
    if not found:
        raise DecodeError("the message is empty")
    bare_at = len(payload)
    for code, start, value_at, _end in found:
        if code == HEADER:
            _read_header(message, decode(payload, value_at)[0])
        elif code == ANNOTATIONS:
            _read_annotations(message, payload, value_at)
        elif code >= PROPERTIES:
            bare_at = min(bare_at, start)
    message.bare = payload[bare_at:]
    _read_properties(message)
    if message.message_id is None:
        _set_message_id(message)
    return message


def sections(payload: bytes) -> list[tuple[int, int, int, int]]:
    """Answer (code, start, start of the value, end) of each section, bodies undecoded."""
    found = []
    position, size, last = 0, len(payload), 0
    while position < size:
        if payload[position] != 0:
            raise DecodeError("a message section has no descriptor")
        code, value_at = decode(payload, position + 1)
        if not isinstance(code, int) or not HEADER <= code <= FOOTER or code < last:
            raise DecodeError(f"{code!r} is no message section, or is out of order")
        end = skip(payload, value_at)
        found.append((int(code), position, value_at, end))
        position, last = end, code
    return found


def batch(payload: bytes) -> list[bytes]:
    """Answer the messages in a batch envelope: each data section holds one."""
    return [
        decode(payload, value_at)[0] for code, _, value_at, _ in sections(payload) if code == DATA
    ]


def _read_header(message: Message, header: Any) -> None:
    if not isinstance(header, list):
        raise DecodeError("the header is not a list")
    durable, priority, ttl = (header + [None] * 3)[:3]
    message.durable = durable is True
    message.priority = int(priority) if isinstance(priority, int) and 0 <= priority < 256 else 4
    message.ttl = int(ttl) if isinstance(ttl, int) else None


def _read_annotations(message: Message, payload: bytes, value_at: int) -> None:
    if payload[value_at] not in {0xC1, 0xD1}:
        raise DecodeError("the message annotations are not a map")
    places, _ = spans(payload, value_at)
    kept = []
    for (key_at, key_end), (item_at, item_end) in zip(places[::2], places[1::2], strict=True):
        key = decode(payload, key_at)[0]
        if key in _BROKER_OWNED:
            continue
        kept.append(payload[key_at:key_end] + payload[item_at:item_end])
        if key == SCHEDULED_TIME:
            when = decode(payload, item_at)[0]
            message.scheduled = int(when) if isinstance(when, int) else None
    message.annotations = b"".join(kept)


def _read_properties(message: Message) -> None:
    bare = message.bare
    if bare[:3] != b"\x00\x53\x73":
        return
    places, _ = spans(bare, 3)
    if len(places) > MESSAGE_ID:
        message.message_id = decode(bare, places[MESSAGE_ID][0])[0]
    if len(places) > GROUP_ID:
        group_id = decode(bare, places[GROUP_ID][0])[0]
        message.group_id = group_id if isinstance(group_id, str) else None


def _set_message_id(message: Message) -> None:
    """Give the message an id: the JavaScript SDK fails on a delivery without one."""
    message.message_id = uuid.uuid4().hex
    bare, rest, fields = message.bare, message.bare, []
    if bare[:3] == b"\x00\x53\x73":
        places, end = spans(bare, 3)
        fields = [bare[start:stop] for start, stop in places[1:]]
        rest = bare[end:]
    fields.insert(0, encode(message.message_id))
    message.bare = b"\x00\x53\x73" + compound(0xC0, len(fields), b"".join(fields)) + rest


def facts(message: Message) -> tuple[list[Any], dict[str, Any]]:
    """Answer the properties and the application properties, for filters."""
    properties: list[Any] = []
    application: dict[str, Any] = {}
    for code, _, value_at, _ in sections(message.bare):
        if code == PROPERTIES:
            properties = decode(message.bare, value_at)[0]
        elif code == APPLICATION_PROPERTIES:
            application = decode(message.bare, value_at)[0]
    return properties + [None] * (13 - len(properties)), application


def set_application_properties(message: Message, changes: dict[str, Any]) -> None:
    """Set some application properties and keep the bytes of all others."""
    changes = {str(key): value for key, value in changes.items() if value is not None}
    if not changes:
        return
    bare, at, end, entries = message.bare, 0, 0, []
    for code, start, value_at, stop in sections(bare):
        if code == PROPERTIES:
            at = end = stop
        elif code == APPLICATION_PROPERTIES:
            at, end = start, stop
            places, _ = spans(bare, value_at)
            for (key_at, key_end), (_, item_end) in zip(places[::2], places[1::2], strict=True):
                if decode(bare[key_at:key_end])[0] not in changes:
                    entries.append(bare[key_at:item_end])
    entries += [encode(key) + encode(value) for key, value in changes.items()]
    section = b"\x00\x53\x74" + compound(0xC1, 2 * len(entries), b"".join(entries))
    message.bare = bare[:at] + section + bare[end:]


_LOCK_TOKEN = b"\x00\x53\x71" + b"\xc1\x24\x02" + encode(Symbol("x-opt-lock-token")) + b"\x98"
_SEQUENCE = encode(Symbol("x-opt-sequence-number")) + b"\x81"
_ENQUEUE_SEQUENCE = encode(Symbol("x-opt-enqueue-sequence-number")) + b"\x81"
_ENQUEUED = encode(Symbol("x-opt-enqueued-time")) + b"\x83"
_LOCKED_UNTIL = encode(Symbol("x-opt-locked-until")) + b"\x83"
_STATE = encode(Symbol("x-opt-message-state")) + b"\x54"
_SOURCE = encode(Symbol("x-opt-deadletter-source"))
_Q = struct.Struct(">q").pack


def render(message: Message, locked_until: int | None = None) -> bytes:
    """Answer the encoded message as it is delivered; *locked_until* if it is locked."""
    durable = b"\x41" if message.durable else b"\x42"
    ttl = b"\x40" if message.ttl is None else encode(UInt(min(message.ttl, 0xFFFFFFFF)))
    count = encode(UInt(message.delivery_count))
    header = durable + bytes((0x50, message.priority)) + ttl + b"\x40" + count
    parts = [b"\x00\x53\x70", compound(0xC0, 5, header)]
    original = message.enqueue_sequence
    entries = [
        _SEQUENCE + _Q(message.sequence),
        _ENQUEUE_SEQUENCE + _Q(message.sequence if original is None else original),
        _ENQUEUED + _Q(message.enqueued),
        _STATE + bytes((message.state,)),
    ]
    if locked_until is not None and message.lock is not None:
        parts.append(_LOCK_TOKEN + message.lock.bytes)
        entries.append(_LOCKED_UNTIL + _Q(locked_until))
    if message.source is not None:
        entries.append(_SOURCE + encode(message.source))
    count_of_own = 0
    if message.annotations:
        entries.append(message.annotations)
        count_of_own = _count(message.annotations) - 2
    annotations = compound(0xC1, 2 * len(entries) + count_of_own, b"".join(entries))
    parts += [b"\x00\x53\x72", annotations, message.bare]
    return b"".join(parts)


def _count(encoded: bytes) -> int:
    """Answer how many values follow each other in *encoded*."""
    position = found = 0
    while position < len(encoded):
        position = skip(encoded, position)
        found += 1
    return found
