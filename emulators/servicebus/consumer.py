"""A receiving client: takes messages from a queue or one of its sessions, and settles them."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

from emulators.servicebus.amqp import frames
from emulators.servicebus.amqp.errors import AmqpError
from emulators.servicebus.amqp.links import OutgoingLink
from emulators.servicebus.amqp.types import Described, Long, Symbol
from emulators.servicebus.broker import errors
from emulators.servicebus.broker.lane import Lane
from emulators.servicebus.broker.message import Message, render
from emulators.servicebus.broker.queue import Queue
from emulators.servicebus.broker.sessions import Session

SESSION_FILTER = Symbol("com.microsoft:session-filter")
TIMEOUT = Symbol("com.microsoft:timeout")
DEFAULT_TIMEOUT_MS = 65_000
OVERHEAD = 512
"""What header and annotations add to a message, at most, besides the sender's own annotations."""

_ACCEPTED, _REJECTED, _RELEASED = 0x24, 0x25, 0x26


class Consumer:
    """Stands between one link and one queue."""

    def __init__(self, link: OutgoingLink, queue: Queue) -> None:
        self.in_line = False
        self._link = link
        self._queue = queue
        self._session: Session | None = None
        self._lane: Lane | None = None
        self._patience: asyncio.TimerHandle | None = None

    def attach(self) -> None:
        """Accept the link, refuse it, or let it wait for a session."""
        sessions = self._queue.sessions
        asked = SESSION_FILTER in self._link.filters
        if sessions is None:
            if asked:
                raise errors.not_allowed(
                    "A sessionful message receiver cannot be created on an entity that does not "
                    "require sessions.",
                )
            self._lane = self._queue.lane
            self._link.accept(self)
            return
        if not asked:
            raise errors.not_allowed(
                "It is not possible for an entity that requires sessions to create a "
                "non-sessionful message receiver.",
            )
        session_id = self._link.filters[SESSION_FILTER]
        if isinstance(session_id, Described):
            session_id = session_id.value
        if session_id is not None:
            self.granted(sessions.accept(str(session_id), self))
            return
        self._link.hold(self)
        wait = self._link.properties.get(TIMEOUT)
        seconds = (int(wait) if isinstance(wait, int) else DEFAULT_TIMEOUT_MS) / 1000
        self._patience = asyncio.get_running_loop().call_later(seconds, self._give_up)
        sessions.wait(self)

    # the broker's side

    @property
    def ready(self) -> bool:
        return self._link.can_send

    def take(self, message: Message) -> bool:
        if not self._link.fits(len(message.bare) + len(message.annotations) + OVERHEAD):
            return False
        if self._link.settled:
            self._queue.remove(message)
            self._link.send(render(message), uuid4().bytes_le, None)
            return True
        token = self._queue.locks.lock(message, self._session)
        payload = render(message, self._queue.locks.end(message))
        self._link.send(payload, token.bytes_le, token)
        return True

    def granted(self, session: Session) -> None:
        self._be_patient_no_more()
        self._session = session
        self._lane = session.lane
        ticks = session.locked_until * 10_000 + 621_355_968_000_000_000
        self._link.accept(
            self,
            filters={**self._link.filters, SESSION_FILTER: session.id},
            properties={
                Symbol("com.microsoft:locked-until-utc"): Long(ticks),
                Symbol("com.microsoft:session-id"): session.id,
            },
        )

    def session_lost(self) -> None:
        self._session = None
        self._link.detach(errors.session_lock_lost())

    # the link's side

    def wake(self) -> None:
        if self._lane is not None and self._link.can_send:
            self._lane.join(self)
            self._queue.touch(self._lane)

    def drain(self) -> None:
        self.wake()
        self._queue.pump()

    def closed(self) -> None:
        """Messages of a plain queue stay locked until their locks expire; a session is freed."""
        self._be_patient_no_more()
        if self._lane is not None:
            self._lane.leave(self)
            self._lane = None
        sessions = self._queue.sessions
        if sessions is not None:
            sessions.stop_waiting(self)
            session, self._session = self._session, None
            if session is not None and session.owner is self:
                sessions.release(session, counted=False)

    def settle(self, delivery: UUID, state: Described) -> bytes:
        fields = state.value if isinstance(state.value, list) else []
        try:
            if state.descriptor == _ACCEPTED:
                self._queue.complete(delivery)
                return frames.ACCEPTED
            if state.descriptor == _REJECTED:
                self._dead_letter(delivery, fields[0] if fields else None)
                return frames.REJECTED
            if state.descriptor == _RELEASED:
                self._queue.release(delivery)
                return frames.RELEASED
            _failed, undeliverable, changes = (fields + [None] * 3)[:3]
            settle = self._queue.defer if undeliverable is True else self._queue.abandon
            settle(delivery, scalars(changes))
        except AmqpError as error:
            return frames.rejected(error.condition, error.description)
        return frames.MODIFIED

    def _dead_letter(self, token: UUID, error: Any) -> None:
        fields = error.value if isinstance(error, Described) else None
        _condition, text, info = ((fields if isinstance(fields, list) else []) + [None] * 3)[:3]
        changes = scalars(info)
        reason = changes.pop("DeadLetterReason", None)
        description = changes.pop("DeadLetterErrorDescription", text)
        self._queue.dead_letter(token, reason, description, changes)

    def _give_up(self) -> None:
        self._patience = None
        if self._queue.sessions is not None:
            self._queue.sessions.stop_waiting(self)
        self._link.refuse(errors.timed_out())

    def _be_patient_no_more(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None


def scalars(changes: Any) -> dict[str, Any]:
    """Answer what may become application properties: simple values under text keys."""
    if not isinstance(changes, dict):
        return {}
    return {
        str(key): value
        for key, value in changes.items()
        if isinstance(key, str) and not isinstance(value, list | dict | Described)
    }
