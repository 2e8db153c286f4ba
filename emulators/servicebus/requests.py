"""Request and response over a pair of links, as ``$cbs`` and ``$management`` use it."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import uuid4

from emulators.servicebus.amqp import frames
from emulators.servicebus.amqp.decode import decode
from emulators.servicebus.amqp.encode import encode
from emulators.servicebus.amqp.errors import DecodeError
from emulators.servicebus.amqp.links import IncomingLink, OutgoingLink
from emulators.servicebus.amqp.types import Described, ULong
from emulators.servicebus.broker.message import (
    APPLICATION_PROPERTIES,
    MESSAGE_ID,
    PROPERTIES,
    sections,
)

REPLY_TO = 4
VALUE = 0x77


@dataclass(frozen=True)
class Request:
    message_id: Any
    reply_to: str | None
    properties: dict[Any, Any]
    body: Any


class Response(NamedTuple):
    properties: dict[str, Any]
    body: Any = None


def read_request(payload: bytes) -> Request:
    """Answer the request in a message."""
    properties: Any = []
    application: Any = {}
    body: Any = None
    for code, _, value_at, _ in sections(payload):
        if code == PROPERTIES:
            properties = decode(payload, value_at)[0]
        elif code == APPLICATION_PROPERTIES:
            application = decode(payload, value_at)[0]
        elif code == VALUE:
            body = decode(payload, value_at)[0]
    if not isinstance(properties, list) or not isinstance(application, dict):
        raise DecodeError("the sections of the request have wrong types")
    properties += [None] * 5
    return Request(properties[MESSAGE_ID], properties[REPLY_TO], application, body)


class RequestTarget:
    """Takes the requests of one link and answers them on the link that belongs to it."""

    def __init__(
        self, link: IncomingLink, node: str, answer: Callable[[Request], Response]
    ) -> None:
        self._link = link
        self._node = node
        self._answer = answer

    def receive(self, payload: bytes, _message_format: int) -> None:
        request = read_request(payload)
        response = self._answer(request)
        replies = self._replies(request.reply_to)
        if replies is not None:
            fields = [None] * 5 + [request.message_id]  # the correlation id, with its AMQP type
            replies.send(
                encode(Described(ULong(0x73), fields))
                + encode(Described(ULong(0x74), response.properties))
                + encode(Described(ULong(VALUE), response.body)),
            )

    def closed(self) -> None:
        """Nothing is kept for a link of requests."""

    def _replies(self, reply_to: str | None) -> "Replies | None":
        candidates = [
            (link, link.source)
            for link in self._link.session.links.values()
            if isinstance(link, OutgoingLink)
            and isinstance(link.source, Replies)
            and link.source.node == self._node
        ]
        for link, source in candidates:
            if reply_to in {link.other_address, link.name}:
                return source
        return candidates[0][1] if candidates else None


class Replies:
    """Sends responses as credit allows."""

    def __init__(self, link: OutgoingLink, node: str) -> None:
        self.node = node
        self._link = link
        self._waiting: deque[bytes] = deque()

    def send(self, payload: bytes) -> None:
        self._waiting.append(payload)
        self.wake()

    def wake(self) -> None:
        while self._waiting and self._link.can_send and self._link.fits(len(self._waiting[0])):
            self._link.send(self._waiting.popleft(), uuid4().bytes_le, None)

    def drain(self) -> None:
        self.wake()

    def settle(self, _delivery: Any, _state: Described) -> bytes:
        return frames.ACCEPTED

    def closed(self) -> None:
        self._waiting.clear()
