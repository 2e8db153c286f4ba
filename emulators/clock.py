"""The emulated tenant's clock: real time plus an offset that all emulators share through a file."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

LOOK = 0.05
"""Seconds after which a process that follows the clock looks whether it has jumped."""


class Clock:
    """Answers the emulated time; `advance` moves every process that reads the same file."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._offset = 0.0

    def advance(self, by: timedelta) -> None:
        self._offset = self.ahead() + by.total_seconds()
        if self._file is not None:
            fresh = self._file.with_suffix(".new")
            fresh.write_text(repr(self._offset))
            fresh.replace(self._file)

    def time(self) -> float:
        """Seconds since 1970 on the emulated clock."""
        return time.time() + self.ahead()

    def now(self) -> datetime:
        """The emulated time, aware, in UTC."""
        return datetime.fromtimestamp(self.time(), UTC)

    async def jumps(self) -> AsyncIterator[float]:
        """By how many seconds it is ahead of real time: now, and whenever this has changed."""
        before: float | None = None
        while True:
            if (ahead := self.ahead()) != before:
                before = ahead
                yield ahead
            await asyncio.sleep(LOOK)  # files tell nobody that they were written

    def ahead(self) -> float:
        """Seconds by which it is ahead of real time."""
        if self._file is None:
            return self._offset
        try:
            return float(self._file.read_text())
        except FileNotFoundError:
            return 0.0
