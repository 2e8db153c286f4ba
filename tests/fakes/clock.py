"""Time that passes only when a test says so."""

from datetime import UTC, datetime, timedelta

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


class FakeClock:
    """Implements ``ports.Clock``."""

    def __init__(self, start: datetime = START) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    def advance(self, by: timedelta | None = None, **parts: float) -> None:
        """Move on by a timedelta, or by its parts: ``advance(minutes=5)``."""
        self._now += by if by is not None else timedelta(**parts)

    def reach(self, moment: datetime) -> None:
        """Move on to *moment*; never back."""
        self._now = max(self._now, moment)
