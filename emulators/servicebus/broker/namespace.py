"""The namespace: all entities, the store, and one timer for whatever is due next."""

import asyncio
import time

from emulators.servicebus.broker import errors
from emulators.servicebus.broker.definitions import NamespaceDefinition, QueueDefinition
from emulators.servicebus.broker.queue import Queue
from emulators.servicebus.broker.store import Store
from emulators.servicebus.broker.topic import Subscription, Topic
from emulators.servicebus.turn import Turn

DEAD_LETTERS = "/$deadletterqueue"


class Namespace:
    """Finds entities by path, whatever the case of the letters."""

    def __init__(self, definition: NamespaceDefinition, store: Store) -> None:
        self.store = store
        self.turn = Turn(store.commit)
        self._entities: dict[str, Queue | Topic] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._next_due: int | None = None
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
        """Milliseconds since 1970."""
        return time.time_ns() // 1_000_000

    def due(self, moment: int) -> None:
        """Make sure that time passes for the entities at *moment*."""
        if self._next_due is not None and self._next_due <= moment:
            return
        self._next_due = moment
        if self._timer is not None:
            self._timer.cancel()
        wait = max(0, moment - self.now()) / 1000
        self._timer = asyncio.get_running_loop().call_later(wait, self._pass_time)

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

    def _pass_time(self) -> None:
        self._timer = self._next_due = None
        now = self.now()
        dues = [entity.pass_time(now) for entity in self._entities.values()]
        for moment in dues:
            if moment is not None:
                self.due(moment)
        self.turn.commit()
