"""An event loop whose time is virtual: months pass as fast as their events can be run."""

import asyncio
import selectors
from datetime import datetime, timedelta
from typing import Any

from tests.fakes.clock import START, FakeClock


class Stalled(Exception):
    """Nothing is left that could ever happen."""


class Instant(selectors.SelectSelector):
    """Waits by moving time on; nothing arrives from outside."""

    def __init__(self) -> None:
        super().__init__()
        self.passed = 0.0  # seconds

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise Stalled("every task waits for another one")
        self.passed += max(timeout, 0.0)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """`time` starts at 0 and jumps to whatever is next."""

    def __init__(self) -> None:
        self.instant = Instant()
        super().__init__(self.instant)
        # After months, floating point is coarser than the default.
        self._clock_resolution = 1e-5

    def time(self) -> float:
        return self.instant.passed


class VirtualClock(FakeClock):
    """The loop's time as a date, wrong by *skew*."""

    def __init__(self, loop: VirtualLoop, skew: timedelta = timedelta(0)) -> None:
        super().__init__(START + skew)
        self._loop = loop

    def now(self) -> datetime:
        return self._now + timedelta(seconds=self._loop.time())
