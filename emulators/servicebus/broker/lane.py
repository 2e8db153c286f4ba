"""Ready messages in sequence order, and the consumers that take turns on them."""

import heapq
from collections import deque
from typing import Protocol

from emulators.servicebus.broker.message import Message


class Consumer(Protocol):
    """A receiving client as the broker sees it."""

    in_line: bool

    @property
    def ready(self) -> bool:
        """Whether it can take a message now; if not, it comes back by itself."""

    def take(self, message: Message) -> bool:
        """Lock or remove the message and send it; False if it does not fit at the moment."""


class Lane:
    """All of a plain queue, or one session of a queue with sessions."""

    __slots__ = ("_ready", "consumers")

    def __init__(self) -> None:
        self._ready: list[int] = []
        self.consumers: deque[Consumer] = deque()

    def add(self, sequence: int) -> None:
        heapq.heappush(self._ready, sequence)

    def join(self, consumer: Consumer) -> None:
        if not consumer.in_line:
            consumer.in_line = True
            self.consumers.append(consumer)

    def leave(self, consumer: Consumer) -> None:
        if consumer.in_line:
            consumer.in_line = False
            self.consumers.remove(consumer)

    def next_consumer(self) -> Consumer | None:
        """Answer the consumer whose turn it is; those that cannot take a message leave the line."""
        while self.consumers:
            if self.consumers[0].ready:
                return self.consumers[0]
            self.consumers.popleft().in_line = False
        return None

    def rotate(self) -> None:
        self.consumers.rotate(-1)

    def front(self) -> int | None:
        return self._ready[0] if self._ready else None

    def pop(self) -> None:
        heapq.heappop(self._ready)
