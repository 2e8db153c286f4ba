"""Service Bus sessions of a queue: exclusive owners, waiting receivers, and session state."""

from collections import OrderedDict
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from emulators.servicebus.broker import errors
from emulators.servicebus.broker.lane import Consumer, Lane
from emulators.servicebus.broker.message import Message, State

if TYPE_CHECKING:
    from emulators.servicebus.broker.queue import Queue


class SessionConsumer(Consumer, Protocol):
    """A receiver that owns a session or waits for one."""

    def granted(self, session: "Session") -> None:
        """The session is this consumer's."""

    def session_lost(self) -> None:
        """The lock of its session has expired."""


class Session:
    """The messages of one session id; exists while there is something to keep."""

    __slots__ = ("held", "id", "lane", "locked_until", "owner")

    def __init__(self, session_id: str) -> None:
        self.id = session_id
        self.lane = Lane()
        self.owner: SessionConsumer | None = None
        self.locked_until = 0
        self.held: dict[UUID, Message] = {}


class SessionTable:
    """The sessions of one queue."""

    def __init__(self, queue: "Queue") -> None:
        self._queue = queue
        self._sessions: dict[str, Session] = {}
        self._owned: OrderedDict[str, Session] = OrderedDict()  # in the order of expiry
        self._available: dict[str, Session] = {}  # unlocked, with a message; the oldest first
        self._waiting: dict[SessionConsumer, None] = {}
        self._states = {
            session_id: (state, updated)
            for session_id, state, updated in queue.broker.store.session_states(queue.key)
        }

    def of(self, message: Message) -> Session:
        """Answer the session of a message, new if need be."""
        session_id = message.group_id or ""
        session = self._sessions.get(session_id)
        if session is None:
            session = self._sessions[session_id] = Session(session_id)
        return session

    def add(self, message: Message) -> Lane:
        """Make the message ready in its session."""
        session = self.of(message)
        session.lane.add(message.sequence)
        if session.owner is None:
            self._available[session.id] = session
        return session.lane

    def accept(self, session_id: str, consumer: SessionConsumer) -> Session:
        """Lock a named session, whether or not it has messages."""
        session = self._sessions.get(session_id)
        if session is None:
            session = self._sessions[session_id] = Session(session_id)
        if session.owner is not None:
            raise errors.session_cannot_be_locked(session_id)
        self._own(session, consumer)
        return session

    def wait(self, consumer: SessionConsumer) -> None:
        """Grant the next session that is available, now or later, in the order of asking."""
        self._waiting[consumer] = None
        self.grant()

    def stop_waiting(self, consumer: SessionConsumer) -> None:
        self._waiting.pop(consumer, None)

    def grant(self) -> None:
        """Bring waiting consumers and available sessions together."""
        while self._waiting and self._available:
            session_id, session = next(iter(self._available.items()))
            del self._available[session_id]
            if self._queue.front(session.lane) is None:
                self._drop_if_empty(session)
                continue
            consumer = next(iter(self._waiting))
            del self._waiting[consumer]
            self._own(session, consumer)
            consumer.granted(session)

    def owned(self, session_id: str) -> Session:
        """Answer a session that is locked at present."""
        session = self._owned.get(session_id)
        if session is None or session.locked_until <= self._queue.broker.real_now():
            raise errors.session_lock_lost()
        return session

    def renew(self, session_id: str) -> int:
        session = self.owned(session_id)
        session.locked_until = self._lock_end()
        self._owned.move_to_end(session_id)
        return session.locked_until

    def release(self, session: Session, *, counted: bool) -> None:
        """Free the session; what is unsettled goes back, as a failed delivery if *counted*."""
        session.owner = None
        self._owned.pop(session.id, None)
        for message in list(session.held.values()):
            self._queue.put_back(message, counted=counted)
        if self._queue.front(session.lane) is not None:
            self._available[session.id] = session
            self._queue.touch(session.lane)
        self._drop_if_empty(session)

    def expire(self, now: int) -> None:
        """Take sessions away from owners that have not renewed their lock."""
        while self._owned:
            session = next(iter(self._owned.values()))
            if session.locked_until > now:
                break
            owner = session.owner
            self.release(session, counted=True)
            if owner is not None:
                owner.session_lost()

    def next_due(self) -> int | None:
        return next(iter(self._owned.values())).locked_until if self._owned else None

    def ids(self) -> list[str]:
        """Answer the sessions with active messages or a state."""
        active = (m.group_id for m in self._queue.messages.values() if m.state is State.ACTIVE)
        return sorted({session_id for session_id in active if session_id} | self._states.keys())

    def ids_updated_after(self, moment: int) -> list[str]:
        """Answer the sessions whose state was set after *moment*."""
        return sorted(each for each, (_, updated) in self._states.items() if updated > moment)

    def state(self, session_id: str) -> bytes | None:
        return self._states.get(session_id, (None, 0))[0]

    def set_state(self, session_id: str, state: bytes | None) -> None:
        now = self._queue.broker.now()
        if state is None:
            self._states.pop(session_id, None)
        else:
            self._states[session_id] = (state, now)
        self._queue.broker.store.set_session_state(self._queue.key, session_id, state, now)
        self._queue.broker.turn.commit()

    def _own(self, session: Session, consumer: SessionConsumer) -> None:
        self._available.pop(session.id, None)
        session.owner = consumer
        session.locked_until = self._lock_end()
        self._owned[session.id] = session
        self._queue.broker.lock_due(session.locked_until)

    def _lock_end(self) -> int:
        return self._queue.broker.real_now() + self._queue.definition.lock_duration

    def _drop_if_empty(self, session: Session) -> None:
        if session.owner is None and self._queue.front(session.lane) is None:
            self._sessions.pop(session.id, None)
