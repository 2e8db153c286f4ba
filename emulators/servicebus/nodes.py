"""Resolves the address of a link to what it is attached to."""

import re
from collections.abc import Callable
from functools import partial

from emulators.servicebus import management
from emulators.servicebus.amqp.errors import AmqpError
from emulators.servicebus.amqp.links import IncomingLink, Link, OutgoingLink
from emulators.servicebus.broker import errors
from emulators.servicebus.broker.namespace import Namespace
from emulators.servicebus.broker.queue import Queue
from emulators.servicebus.broker.topic import Topic
from emulators.servicebus.cbs import Tokens
from emulators.servicebus.consumer import Consumer
from emulators.servicebus.faults import Faults
from emulators.servicebus.producer import Producer
from emulators.servicebus.requests import Replies, Request, RequestTarget, Response

_ORIGIN = re.compile(r"[a-z]+://[^/]*", re.IGNORECASE)
_MANAGEMENT = "/$management"


class Nodes:
    """The address space of the namespace."""

    def __init__(self, namespace: Namespace, tokens: Tokens, faults: Faults) -> None:
        self._namespace = namespace
        self._tokens = tokens
        self._faults = faults

    def attach(self, link: Link) -> None:
        """Attach the link, leave it waiting, or refuse it with an AmqpError."""
        path = _ORIGIN.sub("", link.address or "", count=1).strip("/")
        node = path.lower()
        connection = link.session.connection
        if node == "$cbs":
            _attach_requests(link, node, partial(self._tokens.answer, connection))
            return
        if self._tokens.strict and not connection.authorized:
            raise AmqpError("amqp:unauthorized-access", "No token was put for this connection.")
        if node.endswith(_MANAGEMENT):
            entity = self._namespace.find(path[: -len(_MANAGEMENT)])
            _attach_requests(link, node, partial(management.answer, entity))
            return
        entity = self._namespace.find(path)
        if isinstance(link, IncomingLink):
            self._attach_sender(link, entity)
        elif isinstance(link, OutgoingLink):
            _attach_receiver(link, entity)

    def _attach_sender(self, link: IncomingLink, entity: Queue | Topic) -> None:
        if isinstance(entity, Queue) and not entity.takes_senders:
            raise errors.not_allowed(f"{entity.key} does not take messages from senders.")
        link.accept(Producer(entity, self._faults))


def _attach_receiver(link: OutgoingLink, entity: Queue | Topic) -> None:
    if isinstance(entity, Topic):
        raise errors.not_allowed("A topic has no messages: receive from a subscription.")
    Consumer(link, entity).attach()


def _attach_requests(link: Link, node: str, answer: Callable[[Request], Response]) -> None:
    if isinstance(link, IncomingLink):
        link.accept(RequestTarget(link, node, answer))
    elif isinstance(link, OutgoingLink):
        link.accept(Replies(link, node))
