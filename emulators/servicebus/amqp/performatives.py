"""The performatives of AMQP 1.0 as named tuples, with their decoding."""

from collections.abc import Callable
from typing import Any, NamedTuple

from emulators.servicebus.amqp.decode import decode, spans
from emulators.servicebus.amqp.errors import DecodeError
from emulators.servicebus.amqp.types import Described


class Open(NamedTuple):
    container_id: str
    hostname: str | None = None
    max_frame_size: int | None = None
    channel_max: int | None = None
    idle_time_out: int | None = None
    outgoing_locales: Any = None
    incoming_locales: Any = None
    offered_capabilities: Any = None
    desired_capabilities: Any = None
    properties: dict[Any, Any] | None = None


class Begin(NamedTuple):
    remote_channel: int | None
    next_outgoing_id: int
    incoming_window: int
    outgoing_window: int
    handle_max: int | None = None
    offered_capabilities: Any = None
    desired_capabilities: Any = None
    properties: dict[Any, Any] | None = None


class Attach(NamedTuple):
    name: str
    handle: int
    role: bool
    snd_settle_mode: int | None = None
    rcv_settle_mode: int | None = None
    source: Any = None
    target: Any = None
    unsettled: Any = None
    incomplete_unsettled: bool | None = None
    initial_delivery_count: int | None = None
    max_message_size: int | None = None
    offered_capabilities: Any = None
    desired_capabilities: Any = None
    properties: dict[Any, Any] | None = None


class Flow(NamedTuple):
    next_incoming_id: int | None
    incoming_window: int
    next_outgoing_id: int
    outgoing_window: int
    handle: int | None = None
    delivery_count: int | None = None
    link_credit: int | None = None
    available: int | None = None
    drain: bool | None = None
    echo: bool | None = None
    properties: dict[Any, Any] | None = None


class Transfer(NamedTuple):
    handle: int
    delivery_id: int | None = None
    delivery_tag: bytes | None = None
    message_format: int | None = None
    settled: bool | None = None
    more: bool | None = None
    rcv_settle_mode: int | None = None
    state: Any = None
    resume: bool | None = None
    aborted: bool | None = None
    batchable: bool | None = None


class Disposition(NamedTuple):
    role: bool
    first: int
    last: int | None = None
    settled: bool | None = None
    state: Any = None
    batchable: bool | None = None


class Detach(NamedTuple):
    handle: int
    closed: bool | None = None
    error: Any = None


class End(NamedTuple):
    error: Any = None


class Close(NamedTuple):
    error: Any = None


class SaslInit(NamedTuple):
    mechanism: str
    initial_response: bytes | None = None
    hostname: str | None = None


InSession = Attach | Flow | Transfer | Disposition | Detach
Performative = Open | Begin | InSession | End | Close | SaslInit

# One letter a field: s text, n number, b boolean, y binary, m map, * anything;
# upper case where AMQP makes the field mandatory.
_KINDS: dict[int, tuple[Callable[..., Performative], str]] = {
    0x10: (Open, "Ssnnn****m"),
    0x11: (Begin, "nNNNn**m"),
    0x12: (Attach, "SNBnn***bnn**m"),
    0x13: (Flow, "nNNNnnnnbbm"),
    0x14: (Transfer, "Nnynbbn*bbb"),
    0x15: (Disposition, "BNnb*b"),
    0x16: (Detach, "Nb*"),
    0x17: (End, "*"),
    0x18: (Close, "*"),
    0x41: (SaslInit, "Sys"),
}
_TYPES: dict[str, type] = {"s": str, "n": int, "b": bool, "y": bytes, "m": dict, "*": object}


def parse(body: bytes) -> tuple[Performative, int]:
    """Answer the performative at the start of a frame body, and where its payload starts."""
    described, end = decode(body)
    if not isinstance(described, Described) or not isinstance(described.value, list):
        raise DecodeError("a frame does not start with a performative")
    kind = _KINDS.get(described.descriptor) if isinstance(described.descriptor, int) else None
    if kind is None:
        raise DecodeError(f"unknown performative {described.descriptor!r}")
    build, letters = kind
    fields = described.value
    if len(fields) > len(letters) or any(map(str.isupper, letters[len(fields) :])):
        raise DecodeError("a performative has too many or too few fields")
    for letter, field in zip(letters, fields, strict=False):
        if not _fits(letter, field):
            raise DecodeError(f"a field of performative {described.descriptor:#x} has a wrong type")
    return build(*fields), end


def _fits(letter: str, field: Any) -> bool:
    if field is None:
        return not letter.isupper()
    kind = letter.lower()
    if kind == "n":
        return isinstance(field, int) and not isinstance(field, bool) and field >= 0
    return isinstance(field, _TYPES[kind])


def raw_fields(body: bytes) -> list[bytes]:
    """Answer the encoded fields of a performative, to echo them byte for byte."""
    start = decode(body, 1)[1]
    return [body[begin:end] for begin, end in spans(body, start)[0]]
