"""Peek-locks of one queue; a queue with sessions locks messages as long as their session."""

from collections import OrderedDict
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from emulators.servicebus.broker import errors
from emulators.servicebus.broker.message import Message
from emulators.servicebus.broker.sessions import Session

if TYPE_CHECKING:
    from emulators.servicebus.broker.queue import Queue


class Locks:
    """Which message is locked with which token, and until when."""

    def __init__(self, queue: "Queue") -> None:
        self._queue = queue
        self._locks: OrderedDict[UUID, Message] = OrderedDict()  # in the order of expiry

    def lock(self, message: Message, session: Session | None = None) -> UUID:
        """Lock a message for the lock duration, or as long as its session is locked."""
        token = message.lock = uuid4()
        self._locks[token] = message
        if session is None:
            message.locked_until = self._new_end()
            self._queue.broker.lock_due(message.locked_until)
        else:
            session.held[token] = message
        return token

    def end(self, message: Message) -> int:
        """Answer until when a locked message is locked."""
        sessions = self._queue.sessions
        return message.locked_until if sessions is None else sessions.of(message).locked_until

    def find(self, token: UUID) -> Message | None:
        return self._locks.get(token)

    def held(self, token: UUID) -> Message:
        """Answer the message that is still locked with this token."""
        message = self._locks.get(token)
        if message is None or self.end(message) <= self._queue.broker.real_now():
            plain = self._queue.sessions is None
            raise errors.message_lock_lost() if plain else errors.session_lock_lost()
        return message

    def renew(self, token: UUID) -> int:
        """Extend the lock and answer its new end."""
        message = self.held(token)
        if self._queue.sessions is not None:
            raise errors.not_allowed("Messages of a session are renewed with their session.")
        message.locked_until = self._new_end()
        self._locks.move_to_end(token)
        return message.locked_until

    def unlock(self, message: Message) -> None:
        token, message.lock = message.lock, None
        if token is not None:
            self._locks.pop(token, None)
            if self._queue.sessions is not None:
                self._queue.sessions.of(message).held.pop(token, None)

    def first_expired(self, now: int) -> Message | None:
        """Answer a message whose own lock is over; locks of sessions end with the session."""
        if self._queue.sessions is not None or not self._locks:
            return None
        message = next(iter(self._locks.values()))
        return message if message.locked_until <= now else None

    def next_due(self) -> int | None:
        if self._queue.sessions is not None or not self._locks:
            return None
        return next(iter(self._locks.values())).locked_until

    def _new_end(self) -> int:
        return self._queue.broker.real_now() + self._queue.definition.lock_duration
