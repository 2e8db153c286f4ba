"""Replication delay: what a read sees some seconds after a write."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from emulators.clock import Clock

T = TypeVar("T")


@dataclass(frozen=True)
class Written:
    """When something was written, and how late replicas were at that time."""

    at: float
    delay: float
    token_delay: float


class Lag:
    """How far reads are behind writes; zero unless set through the admin interface."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.seconds = 0.0
        self.token_seconds = 0.0
        self.removal_seconds = 0.0

    def now(self) -> Written:
        return Written(self.clock.time(), self.seconds, self.token_seconds)

    def visible(
        self, born: Written | None, gone: Written | None = None, *, token: bool = False
    ) -> bool:
        """Whether a replica shows what was made (None: long ago) and perhaps removed.

        A longer lag set later does not hide what is already there; a shorter one counts at once.
        """
        delay = 0.0 if born is None else self._delay(born, token=token)
        if born is not None and delay and born.at + delay > self.clock.time():
            return False
        if gone is None:
            return True
        left = max(self._delay(gone, token=token), self.removal_seconds)
        return left > 0 and self.clock.time() < gone.at + left

    def _delay(self, written: Written, *, token: bool) -> float:
        if token:
            return min(written.token_delay, self.token_seconds)
        return min(written.delay, self.seconds)


@dataclass
class _Row(Generic[T]):
    value: T
    born: Written | None
    gone: Written | None = None


class Replicated(Generic[T]):
    """A table with a truth (writes, uniqueness) and a delayed view (reads)."""

    def __init__(self, lag: Lag) -> None:
        self._lag = lag
        self._rows: dict[str, _Row[T]] = {}

    def add(self, key: str, value: T, *, settled: bool = False) -> None:
        self._rows[key] = _Row(value, None if settled else self._lag.now())

    def remove(self, key: str) -> T:
        """Take the row out of the truth; reads may show it for a while."""
        row = self._rows[key]
        if self._lag.seconds or self._lag.token_seconds or self._lag.removal_seconds:
            row.gone = self._lag.now()
        else:
            del self._rows[key]
        return row.value

    def truth(self, key: str) -> T | None:
        row = self._rows.get(key)
        return row.value if row is not None and row.gone is None else None

    def read(self, key: str) -> T | None:
        row = self._rows.get(key)
        return row.value if row is not None and self._shown(row) else None

    def true_values(self) -> Iterator[T]:
        return (row.value for row in self._rows.values() if row.gone is None)

    def values(self) -> Iterator[T]:
        return (row.value for row in self._rows.values() if self._shown(row))

    def values_for_token(self) -> Iterator[T]:
        """What the token endpoint's own replica shows."""
        return (
            row.value
            for row in self._rows.values()
            if self._lag.visible(row.born, row.gone, token=True)
        )

    def settled_for_token(self, key: str) -> bool:
        row = self._rows.get(key)
        return row is not None and self._lag.visible(row.born, row.gone, token=True)

    def _shown(self, row: _Row[T]) -> bool:
        return self._lag.visible(row.born, row.gone)
