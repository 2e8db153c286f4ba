"""AMQP session endpoint: windows, delivery ids, and the links on one channel."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from emulators.servicebus.amqp import frames
from emulators.servicebus.amqp.errors import AmqpError, FramingError
from emulators.servicebus.amqp.links import SERIAL, IncomingLink, Link, OutgoingLink
from emulators.servicebus.amqp.performatives import (
    Attach,
    Begin,
    Detach,
    Disposition,
    Flow,
    InSession,
    Transfer,
    raw_fields,
)
from emulators.servicebus.amqp.types import Described, UInt

if TYPE_CHECKING:
    from emulators.servicebus.amqp.connection import Connection


class AmqpSession:
    """One channel; not to be confused with a Service Bus session."""

    def __init__(self, connection: "Connection", channel: int, begin: Begin) -> None:
        self.connection = connection
        self.channel = channel
        self.window = begin.incoming_window
        self.links: dict[int, Link] = {}
        self.ended = False
        self._next_incoming_id = begin.next_outgoing_id
        self._next_outgoing_id = 0
        self._next_delivery_id = 0
        self._unsettled: dict[int, tuple[OutgoingLink, Any]] = {}
        self._run: tuple[bool, int, int, bytes] | None = None
        self._handlers: dict[type, Callable[[Any, bytes, int], None]] = {
            Attach: self._attach,
            Flow: self._flow,
            Transfer: self._transfer,
            Disposition: self._disposition,
            Detach: self._detach,
        }

    def handle(self, performative: InSession, body: bytes, payload_at: int) -> None:
        """Act on a frame of the client."""
        if self.ended:
            return
        try:
            self._handlers[type(performative)](performative, body, payload_at)
        except SessionError as error:
            self.drop()
            self.ended = True
            why = frames.error(error.condition, error.description)
            self.send(frames.end(self.channel, why))

    def send(self, frame: bytes) -> None:
        self.flush()
        self.connection.send(frame)

    def dispose(self, *, role: bool, delivery_id: int, outcome: bytes) -> None:
        """Settle a delivery; runs with the same outcome become one frame."""
        run = self._run
        if run and run[0] == role and run[3] == outcome and run[2] + 1 == delivery_id:
            self._run = (role, run[1], delivery_id, outcome)
            return
        self.flush()
        self._run = (role, delivery_id, delivery_id, outcome)
        self.connection.pending(self)

    def flush(self) -> None:
        """Write the collected run of dispositions."""
        if self._run is not None:
            role, first, last, outcome = self._run
            self._run = None
            self.connection.append(
                frames.disposition(self.channel, role=role, first=first, last=last, outcome=outcome)
            )

    def send_flow(self, link_fields: list[Any]) -> None:
        fields = [
            UInt(self._next_incoming_id),
            UInt(frames.WINDOW),
            UInt(self._next_outgoing_id),
            UInt(frames.WINDOW),
            *link_fields,
        ]
        self.send(frames.flow(self.channel, fields))

    def send_message(self, link: OutgoingLink, payload: bytes, tag: bytes, delivery: Any) -> None:
        """Send the transfer frames of a message and track it unless it is settled."""
        delivery_id = self._next_delivery_id
        self._next_delivery_id = (delivery_id + 1) % SERIAL
        if delivery is not None:
            self._unsettled[delivery_id] = (link, delivery)
        bodies = frames.transfers(
            link.handle,
            delivery_id,
            tag,
            payload,
            settled=delivery is None,
            max_frame_size=self.connection.outgoing_frame_size,
        )
        self.window -= len(bodies)
        self._next_outgoing_id = (self._next_outgoing_id + len(bodies)) % SERIAL
        for body in bodies:
            self.send(frames.frame(self.channel, body))

    def wake(self) -> None:
        """Let the links try again, for the window or the socket has room."""
        for link in list(self.links.values()):
            if isinstance(link, OutgoingLink) and link.source is not None and link.credit:
                link.source.wake()

    def forget(self, link: OutgoingLink) -> None:
        """Stop tracking the deliveries of a link that is gone."""
        gone = [key for key, (owner, _) in self._unsettled.items() if owner is link]
        for key in gone:
            del self._unsettled[key]

    def drop(self) -> None:
        """Drop the links: the session or its connection is gone."""
        links, self.links = self.links, {}
        for link in links.values():
            if not link.detached:
                link.gone()
        self._unsettled.clear()

    def _attach(self, attach: Attach, body: bytes, _payload_at: int) -> None:
        if attach.handle > frames.HANDLE_MAX:
            raise FramingError("the handle is above handle-max")
        known = self.links.get(attach.handle)
        if known is not None and not known.detached:
            raise SessionError("amqp:session:handle-in-use", "The handle is in use.")
        kind = OutgoingLink if attach.role else IncomingLink
        link = kind(self, attach, raw_fields(body))
        self.links[attach.handle] = link
        try:
            self.connection.container.attach(link)
        except AmqpError as error:
            link.refuse(error)

    def _flow(self, flow: Flow, _body: bytes, _payload_at: int) -> None:
        window = (flow.next_incoming_id or 0) + flow.incoming_window - self._next_outgoing_id
        window %= SERIAL
        before, self.window = self.window, window if window < SERIAL // 2 else 0
        if self.window > before:
            self.wake()
        if flow.handle is None:
            if flow.echo:
                self.send_flow([])
            return
        link = self._link(flow.handle)
        if isinstance(link, OutgoingLink):
            link.flow(flow)
        elif isinstance(link, IncomingLink) and flow.echo and link.attached:
            link.send_flow()

    def _transfer(self, transfer: Transfer, body: bytes, payload_at: int) -> None:
        self._next_incoming_id = (self._next_incoming_id + 1) % SERIAL
        link = self._link(transfer.handle)
        if not isinstance(link, IncomingLink):
            raise SessionError("amqp:session:errant-link", "The link does not take transfers.")
        link.transfer(transfer, body[payload_at:])

    def _disposition(self, disposition: Disposition, _body: bytes, _payload_at: int) -> None:
        if not disposition.role:
            return
        for delivery_id in self._tracked(disposition.first, disposition.last):
            self._settle(delivery_id, disposition)

    def _tracked(self, first: int, last: int | None) -> list[int]:
        """Answer the tracked ids in a range that the peer chose: never walk the range itself."""
        if last is None or last == first:
            return [first] if first in self._unsettled else []
        length = (last - first) % SERIAL
        return [key for key in self._unsettled if (key - first) % SERIAL <= length]

    def _settle(self, delivery_id: int, disposition: Disposition) -> None:
        link, delivery = self._unsettled[delivery_id]
        state = disposition.state
        if not isinstance(state, Described) or state.descriptor not in OUTCOMES:
            if not disposition.settled:
                return
            state = Described(0x26, [])  # settled without an outcome: nobody has processed it
        del self._unsettled[delivery_id]
        if link.source is None:
            return
        outcome = link.source.settle(delivery, state)
        if not disposition.settled:
            self.dispose(role=False, delivery_id=delivery_id, outcome=outcome)

    def _detach(self, detach: Detach, _body: bytes, _payload_at: int) -> None:
        link = self.links.pop(detach.handle, None)
        if link is not None:
            link.detached_by_client(closed=bool(detach.closed))

    def _link(self, handle: int) -> Link:
        link = self.links.get(handle)
        if link is None:
            raise SessionError("amqp:session:unattached-handle", "No link has this handle.")
        return link


OUTCOMES = {0x24, 0x25, 0x26, 0x27}


class SessionError(AmqpError):
    """A violation that ends the AMQP session but not the connection."""
