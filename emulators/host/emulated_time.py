"""Gives this process the time of the emulated cloud: whatever asks for the time is told that one.

Only the clock on the wall is moved. Durations (monotonic time, hence all of asyncio) and what TLS
checks stay real, and so does the Service Bus SDK: it measures with the clock on the wall how long a
connection was idle and what a lock has left, and would give up all of them at each jump.
"""

import asyncio
import functools
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

from emulators.clock import Clock
from emulators.host.listener import end

if TYPE_CHECKING:
    from time_machine import Traveller

SDK = "azure.servicebus"
DATING = {f"{SDK}._base_handler", f"{SDK}.aio._base_handler_async"}
"""Modules of the SDK that write dates for others to check: when a signature expires."""


class EmulatedTime:
    """The time of this process: that of the clock in *file*, or real time without one."""

    def __init__(self, file: Path | None) -> None:
        self._clock = Clock(file) if file else None
        self._ahead = 0.0
        self._traveller: Traveller | None = None

    @contextmanager
    def travelling(self) -> Iterator["EmulatedTime"]:
        """Tell everything inside the block the emulated time as it is at its begin."""
        if self._clock is None:
            yield self
            return
        with _machine().travel(datetime.now(UTC), tick=True) as self._traveller:
            time.time()  # the first question makes the time tick
            self._move(self._clock.ahead())
            yield self

    @asynccontextmanager
    async def followed(self) -> AsyncIterator[None]:
        """Let the time jump with the clock until the block ends."""
        task = asyncio.create_task(self._follow())
        try:
            yield
        finally:
            await end(task)

    async def _follow(self) -> None:
        if self._clock is not None:
            async for ahead in self._clock.jumps():
                self._move(ahead)

    def _move(self, ahead: float) -> None:
        if self._traveller is not None:
            self._traveller.shift(ahead - self._ahead)
        self._ahead = ahead


def real_now() -> datetime:
    """The time on the wall, whatever this process is told."""
    return datetime.fromtimestamp(_real_time(), UTC)


def _real_time() -> float:
    hatch = _machine().escape_hatch
    now: float = hatch.time.time() if hatch.is_travelling() else time.time()
    return now


def give_sdk_real_time() -> None:
    """Let connections and locks of the Service Bus SDK live as long as they really do.

    Its modules must have been imported; doing it again is harmless.
    """
    real = SimpleNamespace(**vars(time) | {"time": _real_time})
    for name, module in list(sys.modules.items()):
        if name.startswith(SDK) and name not in DATING:
            _replace(module, time=real, utc_now=real_now)


def _replace(module: ModuleType, **values: Any) -> None:
    for name, value in values.items():
        if hasattr(module, name):
            setattr(module, name, value)


@functools.cache
def _machine() -> Any:
    """The package; its part for pytest would cost a quarter of a second at each start."""
    unwanted = "pytest" not in sys.modules
    if unwanted:
        sys.modules["pytest"] = None  # type: ignore[assignment] # makes the import fail
    try:
        import time_machine
    finally:
        if unwanted:
            del sys.modules["pytest"]
    return time_machine
