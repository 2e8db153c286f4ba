"""The namespace: all entities, the store, and one timer for whatever is due next.

Messages are scheduled and expire by the emulated clock. Locks last in real time, as those who hold
them work in real time, however the clock jumps meanwhile.
"""

import asyncio
import time

from emulators.clock import Clock
from emulators.servicebus.broker import errors
from emulators.servicebus.broker.definitions import NamespaceDefinition, QueueDefinition
from emulators.servicebus.broker.queue import Queue
from emulators.servicebus.broker.store import Store
from emulators.servicebus.broker.topic import Subscription, Topic
from emulators.servicebus.turn import Turn

DEAD_LETTERS = "/$deadletterqueue"


class Namespace:
    """Finds entities by path, whatever the case of the letters."""

    def __init__(
        self, definition: NamespaceDefinition, store: Store, clock: Clock | None = None
    ) -> None:
        self.store = store
        self._clock = clock or Clock()
        self.turn = Turn(store.commit)
        self._entities: dict[str, Queue | Topic] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._next: float | None = None  # of the event loop's time
        for queue in definition.queues:
            self._add_queue(queue.name, queue, takes_senders=True)
        for topic in definition.topics:
            subscriptions = [
                Subscription(
                    self._add_queue(f"{topic.name}/Subscriptions/{each.queue.name}", each.queue),
                    each.rules,
                )
                for each in topic.subscriptions
            ]
            key = topic.name.lower()
            self._entities[key] = Topic(key, topic, self, subscriptions)
        for entity in list(self._entities.values()):
            entity.load()

    def find(self, path: str) -> Queue | Topic:
        """Answer the entity with this path."""
        entity = self._entities.get(path.lower())
        if entity is None:
            raise errors.entity_not_found(path)
        return entity

    def now(self) -> int:
        """Milliseconds since 1970 on the emulated clock."""
        return int(self._clock.time() * 1000)

    def real_now(self) -> int:
        """Milliseconds since 1970 in real time, which is that of locks."""
        return time.time_ns() // 1_000_000

    def due(self, moment: int) -> None:
        """Make sure that time passes for the entities at *moment* of the emulated clock."""
        self._due_in(moment - self.now())

    def lock_due(self, moment: int) -> None:
        """Make sure that time passes for the entities at *moment* of real time."""
        self._due_in(moment - self.real_now())

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if not self.turn.failed.is_set():
            self.store.close()

    def _add_queue(
        self, path: str, definition: QueueDefinition, *, takes_senders: bool = False
    ) -> Queue:
        key = path.lower()
        dead = QueueDefinition(
            name=f"{definition.name}/$DeadLetterQueue",
            lock_duration=definition.lock_duration,
            max_delivery_count=None,
            time_to_live=None,
        )
        dead_letters = Queue(key + DEAD_LETTERS, dead, self)
        queue = Queue(key, definition, self, dead_letters, takes_senders=takes_senders)
        self._entities[key] = queue
        self._entities[key + DEAD_LETTERS] = dead_letters
        return queue

    def pass_time(self) -> None:
        """Do what is due by now; also when the clock has jumped."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._next = None
        for entity in self._entities.values():
            entity.pass_time()
        self.turn.commit()

    def _due_in(self, milliseconds: int) -> None:
        loop = asyncio.get_running_loop()
        moment = loop.time() + max(0, milliseconds) / 1000
        if self._next is not None and self._next <= moment:
            return
        self._next = moment
        if self._timer is not None:
            self._timer.cancel()
        self._timer = loop.call_at(moment, self.pass_time)
