"""Link endpoints: a client that sends, a client that receives."""

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Protocol

from emulators.servicebus.amqp import frames
from emulators.servicebus.amqp.encode import encode
from emulators.servicebus.amqp.errors import AmqpError
from emulators.servicebus.amqp.performatives import Attach, Flow, Transfer
from emulators.servicebus.amqp.types import Described, Raw, Symbol, UByte, UInt, ULong

if TYPE_CHECKING:
    from emulators.servicebus.amqp.session import AmqpSession

log = logging.getLogger(__name__)

CREDIT, LOW_CREDIT = 1000, 500
SERIAL = 2**32
SETTLED = 1
"""sender-settle-mode of a receiver that wants receive-and-delete."""


class Target(Protocol):
    """What a sending client is attached to."""

    def receive(self, payload: bytes, message_format: int) -> None:
        """Take one message; an AmqpError refuses it."""

    def closed(self) -> None:
        """The link is gone."""


class Source(Protocol):
    """What a receiving client is attached to."""

    def wake(self) -> None:
        """The link may be able to send again."""

    def drain(self) -> None:
        """Send at once what is ready, the rest of the credit is about to lapse."""

    def settle(self, delivery: Any, state: Described) -> bytes:
        """Apply the outcome of a delivery and answer the outcome to echo."""

    def closed(self) -> None:
        """The link is gone."""


class Link:
    """What both directions share: name, terminus, and the handshake."""

    def __init__(self, session: "AmqpSession", attach: Attach, raw: list[bytes]) -> None:
        self.session = session
        self.name = attach.name
        self.handle = attach.handle
        self.properties = attach.properties or {}
        self.attached = False
        self.detached = False
        self.used_at = asyncio.get_running_loop().time()
        self._attach = attach
        self._raw_source = raw[5] if len(raw) > 5 else b"\x40"
        self._raw_target = raw[6] if len(raw) > 6 else b"\x40"

    def _answer(
        self, source: bytes, target: bytes, properties: dict[Any, Any] | None = None
    ) -> None:
        attach, sender = self._attach, self._attach.role
        fields = [
            self.name,
            UInt(self.handle),
            not attach.role,
            UByte(2 if attach.snd_settle_mode is None else attach.snd_settle_mode),
            UByte(attach.rcv_settle_mode or 0),
            Raw(source),
            Raw(target),
            None,
            None,
            UInt(0) if sender else None,
            ULong(self.session.connection.max_message_size),
            None,
            None,
            properties,
        ]
        self.session.send(frames.attach(self.session.channel, fields))

    def refuse(self, error: AmqpError) -> None:
        """Answer the attach without source and target, then detach with the reason."""
        self._answer(b"\x40", b"\x40")
        self.detach(error)

    def detach(self, error: AmqpError) -> None:
        """End the link from this side; the client still has to confirm."""
        self.attached = False
        self.detached = True
        why = frames.error(error.condition, error.description)
        frame = frames.detach(self.session.channel, self.handle, closed=True, why=why)
        self.session.send(frame)
        self.gone()

    def detached_by_client(self, *, closed: bool) -> None:
        if self.detached:
            return
        if not self.attached:
            self._answer(b"\x40", b"\x40")
        self.gone()
        self.session.send(frames.detach(self.session.channel, self.handle, closed=closed))

    def gone(self) -> None:
        """Tell whatever the link was attached to."""
        self.attached = False
        self.detached = True

    @property
    def address(self) -> str | None:
        """The node this link is for."""
        return terminus_address(self._attach.source if self._attach.role else self._attach.target)

    @property
    def other_address(self) -> str | None:
        """The address of the client's own end, where replies may be sent to."""
        return terminus_address(self._attach.target if self._attach.role else self._attach.source)


class IncomingLink(Link):
    """A client sends to us."""

    target: Target | None = None

    def __init__(self, session: "AmqpSession", attach: Attach, raw: list[bytes]) -> None:
        super().__init__(session, attach, raw)
        self.credit = 0
        self.delivery_count = attach.initial_delivery_count or 0
        self._first: Transfer | None = None
        self._pieces: list[bytes] = []
        self._size = 0

    def accept(self, target: Target) -> None:
        self.target = target
        self.attached = True
        self._answer(self._raw_source, self._raw_target)
        self.grant()

    def grant(self) -> None:
        """State the full credit."""
        self.credit = CREDIT
        self.send_flow()

    def send_flow(self) -> None:
        self.session.send_flow(
            [UInt(self.handle), UInt(self.delivery_count), UInt(self.credit)],
        )

    def transfer(self, transfer: Transfer, payload: bytes) -> None:
        """Collect one frame, and hand over the message with the last of them."""
        if not self.attached:
            return
        if self._first is None:
            self._first = transfer
            self.credit -= 1
            self.delivery_count = (self.delivery_count + 1) % SERIAL
        self.used_at = asyncio.get_running_loop().time()
        self._size += len(payload)
        if self._size <= self.session.connection.max_message_size:
            self._pieces.append(payload)
        if transfer.aborted or not transfer.more:
            first, data, size = self._first, b"".join(self._pieces), self._size
            self._first, self._pieces, self._size = None, [], 0
            if not transfer.aborted:
                self._deliver(first, data, size)
            if self.attached and self.credit < LOW_CREDIT:
                self.grant()

    def _deliver(self, first: Transfer, data: bytes, size: int) -> None:
        outcome = frames.ACCEPTED
        try:
            self._check_size(size)
            if self.target is not None:
                self.target.receive(data, first.message_format or 0)
        except AmqpError as error:
            log.debug("message.refused: %s", error)
            outcome = frames.rejected(error.condition, error.description)
        if not first.settled and first.delivery_id is not None:
            self.session.dispose(role=True, delivery_id=first.delivery_id, outcome=outcome)

    def _check_size(self, size: int) -> None:
        limit = self.session.connection.max_message_size
        if size > limit:
            raise AmqpError(
                "amqp:link:message-size-exceeded",
                f"The received message (size {size}) exceeds the limit ({limit}) of the link.",
            )

    def gone(self) -> None:
        super().gone()
        target, self.target = self.target, None
        if target is not None:
            target.closed()


class OutgoingLink(Link):
    """A client receives from us."""

    source: Source | None = None

    def __init__(self, session: "AmqpSession", attach: Attach, raw: list[bytes]) -> None:
        super().__init__(session, attach, raw)
        self.credit = 0
        self.delivery_count = 0
        self.settled = attach.snd_settle_mode == SETTLED

    @property
    def filters(self) -> dict[Any, Any]:
        """The filter set of the source."""
        source = self._attach.source
        fields = source.value if isinstance(source, Described) else []
        found = fields[7] if len(fields) > 7 else None
        return found if isinstance(found, dict) else {}

    def hold(self, source: Source) -> None:
        """Leave the attach unanswered until *source* accepts or refuses it."""
        self.source = source

    def accept(
        self,
        source: Source,
        *,
        filters: dict[Any, Any] | None = None,
        properties: dict[Symbol, Any] | None = None,
    ) -> None:
        """Answer the attach; *filters* is what was granted of what was asked for."""
        self.source = source
        self.attached = True
        raw = self._raw_source
        if filters is not None:
            fields = list(self._attach.source.value)
            fields[7] = filters
            raw = encode(Described(ULong(0x28), fields))
        self._answer(raw, self._raw_target, properties)
        if self.credit:
            source.wake()

    @property
    def can_send(self) -> bool:
        return (
            self.credit > 0
            and self.attached
            and self.session.window > 0
            and self.session.connection.writable
        )

    def fits(self, size: int) -> bool:
        """Say whether the peer's window holds all frames of a payload of *size* bytes."""
        room = self.session.connection.outgoing_frame_size - 100
        return size <= room or -(-size // room) <= self.session.window

    def send(self, payload: bytes, tag: bytes, delivery: Any) -> None:
        """Send one message; an unsettled one is tracked until the client settles it."""
        self.used_at = asyncio.get_running_loop().time()
        self.credit -= 1
        self.delivery_count = (self.delivery_count + 1) % SERIAL
        self.session.send_message(self, payload, tag, None if self.settled else delivery)

    def flow(self, flow: Flow) -> None:
        if flow.link_credit is not None:
            granted = (flow.delivery_count or 0) + flow.link_credit - self.delivery_count
            granted %= SERIAL
            self.credit = granted if granted < SERIAL // 2 else 0
        if self.source is None or not self.attached:
            return
        if flow.drain:
            self.source.drain()
            self.delivery_count = (self.delivery_count + self.credit) % SERIAL
            self.credit = 0
            self.send_flow(drain=True)
            return
        self.source.wake()
        if flow.echo:
            self.send_flow()

    def send_flow(self, *, drain: bool = False) -> None:
        self.session.send_flow(
            [UInt(self.handle), UInt(self.delivery_count), UInt(self.credit), UInt(0), drain],
        )

    def gone(self) -> None:
        super().gone()
        self.session.forget(self)
        source, self.source = self.source, None
        if source is not None:
            source.closed()


def terminus_address(terminus: Any) -> str | None:
    """Answer the address of a source or target, if it has one."""
    if not isinstance(terminus, Described) or not isinstance(terminus.value, list):
        return None
    address = terminus.value[0] if terminus.value else None
    return address if isinstance(address, str) else None
