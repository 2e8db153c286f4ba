"""A queue: sequence order, locks, delivery count, deferral, scheduling, expiry, dead letters."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from emulators.servicebus.broker import errors
from emulators.servicebus.broker.definitions import QueueDefinition
from emulators.servicebus.broker.duplicates import Duplicates
from emulators.servicebus.broker.forwarding import bury, forward
from emulators.servicebus.broker.lane import Lane
from emulators.servicebus.broker.locks import Locks
from emulators.servicebus.broker.message import Message, State, set_application_properties
from emulators.servicebus.broker.schedule import Schedule
from emulators.servicebus.broker.sessions import SessionTable

if TYPE_CHECKING:
    from emulators.servicebus.broker.namespace import Namespace


class Queue:
    """A queue of the configuration, the queue of a subscription, or a dead-letter queue."""

    def __init__(
        self,
        key: str,
        definition: QueueDefinition,
        broker: "Namespace",
        dead_letters: "Queue | None" = None,
        *,
        takes_senders: bool = False,
    ) -> None:
        self.key = key
        self.definition = definition
        self.broker = broker
        self.dead_letters = dead_letters
        self.takes_senders = takes_senders
        self.messages: dict[int, Message] = {}  # in sequence order: numbers only ever grow
        self.lane = Lane()
        self.sessions = SessionTable(self) if definition.requires_session else None
        self._dirty: dict[Lane, None] = {}
        self.locks = Locks(self)
        self._expiry = Schedule(self._expires_at)
        self._scheduled = Schedule(self._scheduled_at)
        window = definition.duplicate_window
        self._duplicates = Duplicates(key, window, broker.store) if window else None
        self._sequence = broker.store.counter(key)

    def load(self) -> None:
        """Take up what the store has kept; locks are not kept."""
        for message in list(self.broker.store.messages(self.key)):
            self.messages[message.sequence] = message
            if message.state is State.SCHEDULED:
                self._schedule(message)
            else:
                self._watch_expiry(message)
                if message.state is State.ACTIVE:
                    self._make_ready(message)

    # arrival

    def check(self, message: Message) -> None:
        """Refuse a message that this queue cannot take."""
        if self.sessions is not None and not message.group_id:
            raise errors.not_allowed(
                "The SessionId was not set on a message, and it cannot be sent to the entity. "
                "Entities that have session support enabled can only receive messages that have "
                "the SessionId set to a valid value.",
            )

    def send(self, message: Message) -> int:
        """Take a checked message and answer its sequence number."""
        now = self.broker.now()
        if self._duplicates is not None and self._duplicates.seen(message, now):
            return self._next_sequence()
        if message.scheduled is None or message.scheduled <= now:
            self._arrive(message, now)
        else:
            message.state = State.SCHEDULED
            message.enqueued = now
            self._insert(message)
            self._schedule(message)
        return message.sequence

    def adopt(self, message: Message) -> None:
        """Take a message that another queue gave up; here it never expires."""
        message.expires = None
        self._insert(message)
        self._make_ready(message)

    def _arrive(self, message: Message, now: int) -> None:
        message.state = State.ACTIVE
        message.enqueued = now
        if self.definition.forward_to:
            message.sequence = self._next_sequence()
            forward(self, message)
            return
        lives = [t for t in (message.ttl, self.definition.time_to_live) if t is not None]
        message.ttl = min(lives, default=None)
        message.expires = None if message.ttl is None else now + message.ttl
        self._insert(message)
        self._watch_expiry(message)
        self._make_ready(message)

    def _insert(self, message: Message) -> None:
        message.sequence = self._next_sequence()
        self.messages[message.sequence] = message
        self.broker.store.insert(self.key, message)
        self.broker.turn.commit()

    def _next_sequence(self) -> int:
        self._sequence += 1
        return self._sequence

    def _make_ready(self, message: Message) -> None:
        lane = self.lane if self.sessions is None else self.sessions.add(message)
        if self.sessions is None:
            lane.add(message.sequence)
        self.touch(lane)

    def _schedule(self, message: Message) -> None:
        due = message.scheduled or 0
        self._scheduled.add(due, message.sequence)
        self.broker.due(due)

    def _watch_expiry(self, message: Message) -> None:
        if message.expires is not None:
            self._expiry.add(message.expires, message.sequence)
            self.broker.due(message.expires)

    # delivery

    def touch(self, lane: Lane) -> None:
        """Serve the lane at the end of this turn."""
        self._dirty[lane] = None
        self.broker.turn.pump(self)

    def pump(self) -> None:
        while self._dirty:
            lane, _ = self._dirty.popitem()
            self._serve(lane)
        if self.sessions is not None:
            self.sessions.grant()

    def _serve(self, lane: Lane) -> None:
        while (message := self.front(lane)) is not None:
            consumer = lane.next_consumer()
            if consumer is None:
                return
            lane.pop()
            if not consumer.take(message):
                lane.add(message.sequence)
                lane.leave(consumer)
            elif len(lane.consumers) > 1:
                lane.rotate()

    def front(self, lane: Lane) -> Message | None:
        """Answer the next deliverable message of a lane and drop stale entries before it."""
        while (sequence := lane.front()) is not None:
            message = self.messages.get(sequence)
            if message is None or message.lock is not None or message.state is not State.ACTIVE:
                lane.pop()
            elif message.expires is not None and message.expires <= self.broker.now():
                lane.pop()
                self._expire(message)
            else:
                return message
        return None

    # settlement

    def remove(self, message: Message) -> None:
        """Forget a message for good."""
        if message.lock is not None:
            self.locks.unlock(message)
        del self.messages[message.sequence]
        self.broker.store.delete(self.key, message.sequence)
        self.broker.turn.commit()

    def complete(self, token: UUID) -> None:
        self.remove(self.locks.held(token))

    def abandon(self, token: UUID, changes: dict[str, Any] | None = None) -> None:
        """A failed delivery: it counts, whatever the client's outcome says."""
        message = self.locks.held(token)
        set_application_properties(message, changes or {})
        self.put_back(message, counted=True)

    def release(self, token: UUID) -> None:
        """A delivery that nobody has looked at."""
        message = self.locks.find(token)
        if message is not None:
            self.put_back(message, counted=False)

    def defer(self, token: UUID, changes: dict[str, Any] | None = None) -> None:
        message = self.locks.held(token)
        set_application_properties(message, changes or {})
        self.locks.unlock(message)
        message.state = State.DEFERRED
        self._update(message)

    def dead_letter(
        self,
        token: UUID,
        reason: str | None,
        description: str | None,
        changes: dict[str, Any] | None = None,
    ) -> None:
        message = self.locks.held(token)
        if self.dead_letters is None:
            raise errors.not_allowed("A dead-letter queue has no dead-letter queue of its own.")
        self._to_dead_letters(message, reason, description, changes)

    def put_back(self, message: Message, *, counted: bool) -> None:
        """Unlock a message for the next delivery."""
        self.locks.unlock(message)
        limit = self.definition.max_delivery_count
        if counted:
            message.delivery_count += 1
            self._update(message)
        if limit is not None and message.delivery_count >= limit:
            self._to_dead_letters(
                message,
                "MaxDeliveryCountExceeded",
                f"Message could not be consumed after {limit} delivery attempts.",
            )
        elif message.expires is not None and message.expires <= self.broker.now():
            self._expire(message)
        elif message.state is State.ACTIVE:
            self._make_ready(message)

    def _update(self, message: Message) -> None:
        self.broker.store.update(self.key, message)
        self.broker.turn.commit()

    # dead letters

    def _expire(self, message: Message) -> None:
        if self.definition.dead_lettering_on_expiration and self.dead_letters is not None:
            description = "The message expired and was dead lettered."
            self._to_dead_letters(message, "TTLExpiredException", description)
        else:
            self.remove(message)

    def _to_dead_letters(
        self,
        message: Message,
        reason: str | None,
        description: str | None,
        changes: dict[str, Any] | None = None,
    ) -> None:
        self.remove(message)
        bury(self, message, reason, description, changes)

    # by sequence number

    def peek(self, first: int, count: int, session_id: str | None = None) -> list[Message]:
        """Answer messages in sequence order, in whatever state they are."""
        found: list[Message] = []
        for sequence, message in self.messages.items():
            if len(found) >= count:
                break
            if sequence >= first and session_id in {None, message.group_id}:
                found.append(message)
        return found

    def take_deferred(
        self, sequences: list[int], session_id: str | None, *, lock: bool
    ) -> list[Message]:
        """Lock or remove deferred messages: all or none."""
        found = [self._with_state(number, State.DEFERRED) for number in dict.fromkeys(sequences)]
        session = None
        if self.sessions is not None:
            session = self.sessions.owned(session_id or "")
        for message in found:
            if message.lock is not None or (session and message.group_id != session.id):
                raise errors.message_not_found(message.sequence)
        for message in found:
            if lock:
                self.locks.lock(message, session)
            else:
                self.remove(message)
        return found

    def cancel(self, sequences: list[int]) -> None:
        """Remove scheduled messages: all or none."""
        numbers = dict.fromkeys(sequences)
        for message in [self._with_state(number, State.SCHEDULED) for number in numbers]:
            self.remove(message)

    def _with_state(self, sequence: int, state: State) -> Message:
        message = self.messages.get(sequence)
        if message is None or message.state is not state:
            raise errors.message_not_found(sequence)
        return message

    # time

    def pass_time(self) -> None:
        """Do what is due and say when to come again."""
        now = self.broker.now()
        self._end_locks(self.broker.real_now())
        for sequence in list(self._scheduled.due(now)):
            message = self.messages[sequence]
            self.remove(message)
            message.enqueue_sequence = sequence
            self._arrive(message, now)
        for sequence in list(self._expiry.due(now)):
            message = self.messages[sequence]
            if message.lock is None:
                self._expire(message)
        for due in (self._scheduled.next(), self._expiry.next()):
            if due is not None:
                self.broker.due(due)

    def _end_locks(self, real_now: int) -> None:
        if self.sessions is not None:
            self.sessions.expire(real_now)
        while (expired := self.locks.first_expired(real_now)) is not None:
            self.put_back(expired, counted=True)
        due = self.locks.next_due() if self.sessions is None else self.sessions.next_due()
        if due is not None:
            self.broker.lock_due(due)

    def _expires_at(self, time: int, sequence: int) -> bool:
        message = self.messages.get(sequence)
        return message is not None and message.expires == time

    def _scheduled_at(self, time: int, sequence: int) -> bool:
        message = self.messages.get(sequence)
        scheduled = message is not None and message.state is State.SCHEDULED
        return scheduled and message is not None and message.scheduled == time
