"""A topic: gives a copy of each message to every subscription that matches."""

from typing import TYPE_CHECKING

from emulators.servicebus.broker import errors
from emulators.servicebus.broker.definitions import Rule, TopicDefinition
from emulators.servicebus.broker.duplicates import Duplicates
from emulators.servicebus.broker.message import Message, State
from emulators.servicebus.broker.queue import Queue
from emulators.servicebus.broker.schedule import Schedule

if TYPE_CHECKING:
    from emulators.servicebus.broker.namespace import Namespace


class Subscription:
    """The rules in front of a queue."""

    def __init__(self, queue: Queue, rules: tuple[Rule, ...]) -> None:
        self.queue = queue
        self._rules = rules

    def matches(self, message: Message) -> bool:
        return not self._rules or any(rule.matches(message) for rule in self._rules)


class Topic:
    """Keeps only messages that are scheduled."""

    def __init__(
        self,
        key: str,
        definition: TopicDefinition,
        broker: "Namespace",
        subscriptions: list[Subscription],
    ) -> None:
        self.key = key
        self.definition = definition
        self._broker = broker
        self._subscriptions = subscriptions
        self._pending: dict[int, Message] = {}
        self._scheduled = Schedule(lambda _time, sequence: sequence in self._pending)
        window = definition.duplicate_window
        self._duplicates = Duplicates(key, window, broker.store) if window else None
        self._sequence = broker.store.counter(key)

    def load(self) -> None:
        """Take up the scheduled messages that the store has kept."""
        for message in list(self._broker.store.messages(self.key)):
            self._hold(message)

    def check(self, message: Message) -> None:
        """Refuse a message that one of the subscriptions could not take."""
        for subscription in self._subscriptions:
            if subscription.matches(message):
                subscription.queue.check(message)

    def send(self, message: Message) -> int:
        now = self._broker.now()
        self._sequence += 1
        sequence = message.sequence = self._sequence
        if self._duplicates is not None and self._duplicates.seen(message, now):
            return sequence
        if message.scheduled is None or message.scheduled <= now:
            self._fan_out(message)
        else:
            message.state = State.SCHEDULED
            message.enqueued = now
            self._broker.store.insert(self.key, message)
            self._broker.turn.commit()
            self._hold(message)
        return sequence

    def cancel(self, sequences: list[int]) -> None:
        """Remove scheduled messages: all or none."""
        numbers = dict.fromkeys(sequences)
        for sequence in numbers:
            if sequence not in self._pending:
                raise errors.message_not_found(sequence)
        for sequence in numbers:
            self._take(sequence)

    def pass_time(self) -> None:
        for sequence in list(self._scheduled.due(self._broker.now())):
            self._fan_out(self._take(sequence))
        if (due := self._scheduled.next()) is not None:
            self._broker.due(due)

    def _hold(self, message: Message) -> None:
        due = message.scheduled or 0
        self._pending[message.sequence] = message
        self._scheduled.add(due, message.sequence)
        self._broker.due(due)

    def _take(self, sequence: int) -> Message:
        self._broker.store.delete(self.key, sequence)
        self._broker.turn.commit()
        return self._pending.pop(sequence)

    def _fan_out(self, message: Message) -> None:
        lives = [t for t in (message.ttl, self.definition.time_to_live) if t is not None]
        for subscription in self._subscriptions:
            if subscription.matches(message):
                twin = message.duplicate()
                twin.ttl = min(lives, default=None)
                twin.enqueue_sequence = message.sequence
                subscription.queue.send(twin)
