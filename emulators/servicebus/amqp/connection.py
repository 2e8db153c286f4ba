"""AMQP connection endpoint: headers, SASL, frames, heartbeats, and writing once per turn."""

import asyncio
import logging
from typing import Protocol, cast

from emulators.servicebus.amqp import frames
from emulators.servicebus.amqp.errors import AmqpError, DecodeError, FramingError
from emulators.servicebus.amqp.links import Link
from emulators.servicebus.amqp.performatives import (
    Begin,
    Close,
    End,
    InSession,
    Open,
    SaslInit,
    parse,
)
from emulators.servicebus.amqp.session import AmqpSession
from emulators.servicebus.turn import Turn

log = logging.getLogger(__name__)

AMQP, SASL = 0, 1
MIN_FRAME_SIZE = 512
HIGH_WATER = 1_048_576
"""Bytes queued in one turn above which deliveries wait for the next."""

SILENCE = 2 * frames.IDLE_TIME_OUT_MS / 1000
"""Seconds without a frame after which a peer counts as dead."""


class Container(Protocol):
    """What the connections belong to."""

    container_id: str
    max_message_size: int
    turn: Turn

    def attach(self, link: Link) -> None:
        """Accept the link now or later; an AmqpError refuses it."""

    def connected(self, connection: "Connection") -> None: ...

    def disconnected(self, connection: "Connection") -> None: ...


class Connection(asyncio.Protocol):
    """One client; never raises into the event loop, whatever the client sends."""

    def __init__(self, container: Container) -> None:
        self.container = container
        self.max_message_size = container.max_message_size
        self.outgoing_frame_size = frames.MAX_FRAME_SIZE
        self.sessions: dict[int, AmqpSession] = {}
        self.made_at = self.linked_at = 0.0
        self.authorized = False  # a token was put
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._out: list[bytes] = []
        self._queued = 0
        self._paused = False
        self._held_back = False
        self._unflushed: dict[AmqpSession, None] = {}
        self._phase = "sasl-header"
        self._closing = False
        self._heard_at = 0.0
        self._heartbeat: asyncio.TimerHandle | None = None
        self._watch: asyncio.TimerHandle | None = None

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self.made_at = self.linked_at = self._heard_at = asyncio.get_running_loop().time()
        self._watch_silence()
        self.container.connected(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  asyncio's signature
        self._closing = True
        for timer in (self._heartbeat, self._watch):
            if timer is not None:
                timer.cancel()
        self._drop_sessions()
        self.container.disconnected(self)

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self._wake()

    def data_received(self, data: bytes) -> None:
        self._heard_at = asyncio.get_running_loop().time()
        if self._closing:
            return
        self._buffer += data
        try:
            self._consume()
        except AmqpError as error:
            self.fail(error)
        except Exception:
            log.exception("connection.failed")
            self.fail(AmqpError("amqp:internal-error", "The server failed on this frame."))

    # output

    @property
    def writable(self) -> bool:
        """Whether deliveries may be queued: a slow reader must not fill the memory."""
        if self._paused or self._queued > HIGH_WATER:
            self._held_back = True
            return False
        return True

    def _wake(self) -> None:
        self._held_back = False
        for session in list(self.sessions.values()):
            session.wake()

    def append(self, frame: bytes) -> None:
        """Queue a frame of a connection that is going to be flushed anyway."""
        self._out.append(frame)
        self._queued += len(frame)

    def send(self, frame: bytes) -> None:
        """Queue a frame; it is written at the end of the turn, after the commit."""
        self.append(frame)
        self.container.turn.write(self)

    def pending(self, session: AmqpSession) -> None:
        """Note that *session* holds back a disposition until the end of the turn."""
        self._unflushed[session] = None
        self.container.turn.write(self)

    def flush(self) -> None:
        for session in self._unflushed:
            session.flush()
        self._unflushed.clear()
        if self._transport is None:
            return
        if self._out:
            if not self._transport.is_closing():
                self._transport.write(b"".join(self._out))
            self._out.clear()
            self._queued = 0
        if self._closing:
            self._transport.close()
        elif self._held_back and not self._paused:
            self._wake()

    def abort(self) -> None:
        """Drop the connection without writing what is queued."""
        self._closing = True
        self._out.clear()
        if self._transport is not None:
            self._transport.abort()

    def fail(self, error: AmqpError) -> None:
        """Close with an error."""
        if self._closing:
            return
        log.info("connection.refused: %s", error)
        if self._phase == "open":
            self.send(frames.open_(self.container.container_id))
        if self._phase in {"open", "opened"}:
            self.send(frames.close(frames.error(error.condition, error.description)))
        self._closing = True
        self._drop_sessions()
        self.container.turn.write(self)

    def close(self) -> None:
        """Close in good order; the server is stopping."""
        self.fail(AmqpError("amqp:connection:forced", "The server is shutting down."))

    # input

    def _consume(self) -> None:
        buffer, position, length = self._buffer, 0, len(self._buffer)
        while not self._closing:
            left = length - position
            if self._phase.endswith("header"):
                if left < 8:
                    break
                self._header(bytes(buffer[position : position + 8]))
                position += 8
                continue
            if left < 4:
                break
            size = int.from_bytes(buffer[position : position + 4])
            if not 8 <= size <= frames.MAX_FRAME_SIZE:
                raise FramingError(f"a frame of {size} bytes is not possible")
            if left < size:
                break
            self._frame(bytes(buffer[position : position + size]))
            position += size
        del buffer[:position]

    def _header(self, header: bytes) -> None:
        expected = frames.SASL_HEADER if self._phase == "sasl-header" else frames.AMQP_HEADER
        self.send(expected)
        if header != expected:
            raise FramingError("the protocol header is not supported")
        if self._phase == "sasl-header":
            self._phase = "sasl"
            self.send(frames.sasl_mechanisms())
        else:
            self._phase = "open"

    def _frame(self, frame: bytes) -> None:
        start = frame[4] * 4
        if not 8 <= start <= len(frame):
            raise FramingError("the data offset is not possible")
        if frame[5] != (SASL if self._phase == "sasl" else AMQP):
            raise FramingError("the frame type is not possible here")
        if start == len(frame):
            return  # a heartbeat
        channel, body = int.from_bytes(frame[6:8]), frame[start:]
        performative, payload_at = parse(body)
        if self._phase != "opened":
            self._handshake(performative)
        elif isinstance(performative, Begin):
            self._begin(channel, performative)
        elif isinstance(performative, End):
            self._end(channel)
        elif isinstance(performative, Close):
            self.send(frames.close())
            self._closing = True
            self._drop_sessions()
        elif isinstance(performative, Open | SaslInit):
            raise AmqpError("amqp:not-allowed", "The connection is open already.")
        else:
            self._in_session(channel, performative, body, payload_at)

    def _handshake(self, performative: object) -> None:
        if self._phase == "sasl" and isinstance(performative, SaslInit):
            self._phase = "amqp-header"
            self.send(frames.sasl_outcome())
        elif self._phase == "open" and isinstance(performative, Open):
            self._open(performative)
        else:
            raise DecodeError("the performative is not expected before open")

    def _open(self, peer: Open) -> None:
        self._phase = "opened"
        self.send(frames.open_(self.container.container_id))
        if peer.max_frame_size is not None:
            if peer.max_frame_size < MIN_FRAME_SIZE:
                raise AmqpError("amqp:not-allowed", "max-frame-size is below 512.")
            self.outgoing_frame_size = min(peer.max_frame_size, frames.MAX_FRAME_SIZE)
        if peer.idle_time_out:
            self._beat(max(peer.idle_time_out / 1000 * 0.4, 0.05))

    def _beat(self, interval: float) -> None:
        """Keep an idle connection alive: the peer drops it after its own idle-time-out."""
        loop = asyncio.get_running_loop()

        def beat() -> None:
            self.send(frames.HEARTBEAT)
            self._heartbeat = loop.call_later(interval, beat)

        self._heartbeat = loop.call_later(interval, beat)

    def _watch_silence(self) -> None:
        loop = asyncio.get_running_loop()
        if loop.time() - self._heard_at > SILENCE:
            self.fail(AmqpError("amqp:resource-limit-exceeded", "No frame in the idle time-out."))
            return
        self._watch = loop.call_later(SILENCE / 4, self._watch_silence)

    def _begin(self, channel: int, begin: Begin) -> None:
        if channel > frames.CHANNEL_MAX:
            raise FramingError("the channel is above channel-max")
        if channel in self.sessions and not self.sessions[channel].ended:
            raise AmqpError("amqp:not-allowed", "The channel is in use.")
        self.sessions[channel] = AmqpSession(self, channel, begin)
        self.send(frames.begin(channel, channel))

    def _end(self, channel: int) -> None:
        # The session stays known: pyamqp still detaches links after its end.
        session = self.sessions.get(channel)
        if session is not None and not session.ended:
            session.drop()
            session.ended = True
            session.send(frames.end(channel))

    def _in_session(
        self, channel: int, performative: InSession, body: bytes, payload_at: int
    ) -> None:
        session = self.sessions.get(channel)
        if session is None:
            raise FramingError("the channel has no session")
        session.handle(performative, body, payload_at)

    def _drop_sessions(self) -> None:
        for session in self.sessions.values():
            session.drop()
        self.sessions.clear()
