"""Times at which messages are due: a heap with lazy deletion."""

import heapq
from collections.abc import Callable, Iterator


class Schedule:
    """(time, sequence number) pairs; *valid* says whether a pair still counts."""

    def __init__(self, valid: Callable[[int, int], bool]) -> None:
        self._valid = valid
        self._heap: list[tuple[int, int]] = []
        self._compact_at = 1024

    def add(self, time: int, sequence: int) -> None:
        heapq.heappush(self._heap, (time, sequence))
        if len(self._heap) > self._compact_at:
            # Consumed messages would otherwise stay here until their time to live is over.
            self._heap = [pair for pair in self._heap if self._valid(*pair)]
            heapq.heapify(self._heap)
            self._compact_at = max(1024, 2 * len(self._heap))

    def due(self, now: int) -> Iterator[int]:
        """Take out what is due."""
        while self._heap and self._heap[0][0] <= now:
            time, sequence = heapq.heappop(self._heap)
            if self._valid(time, sequence):
                yield sequence

    def next(self) -> int | None:
        """Answer the earliest time that still counts."""
        while self._heap and not self._valid(*self._heap[0]):
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None
