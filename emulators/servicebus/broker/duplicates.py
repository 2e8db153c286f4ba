"""Duplicate detection: the message ids seen within a window."""

from collections import OrderedDict

from emulators.servicebus.amqp.encode import encode
from emulators.servicebus.broker.message import Message
from emulators.servicebus.broker.store import Store


class Duplicates:
    """The history of one queue or topic."""

    def __init__(self, entity: str, window: int, store: Store) -> None:
        self._entity = entity
        self._window = window
        self._store = store
        self._seen: OrderedDict[bytes, int] = OrderedDict(store.history(entity))

    def seen(self, message: Message, now: int) -> bool:
        """Say whether the id was seen in the window; if not, record it."""
        while self._seen:
            oldest, at = next(iter(self._seen.items()))
            if at + self._window > now:
                break
            del self._seen[oldest]
            self._store.forget(self._entity, oldest)
        key = encode(message.message_id)
        if key in self._seen:
            return True
        self._seen[key] = now
        self._store.remember(self._entity, key, now)
        return False
