"""Ends what runs longer than functionTimeout; nothing inside Python code is cancelled."""

import itertools
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

log = logging.getLogger("host.timeout")

EXIT_STATUS = 75
"""Status of a host process that a function timeout ended; a supervisor starts it again."""


class Watchdog:
    """A thread, so that a function that blocks the event loop is caught too."""

    def __init__(self, limit: float | None, expire: Callable[[], None] | None) -> None:
        self._limit, self._expire = limit, expire
        self._running: dict[int, tuple[float, str, str]] = {}
        self._numbers = itertools.count()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)
        self.expired: list[str] = []

    def start(self) -> None:
        if self._limit is not None:
            self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()

    @contextmanager
    def watching(self, function: str, invocation_id: str) -> Iterator[None]:
        """Count the block as one invocation."""
        if self._limit is None:
            yield
            return
        number = next(self._numbers)
        self._running[number] = (time.monotonic() + self._limit, function, invocation_id)
        try:
            yield
        finally:
            self._running.pop(number, None)

    def _watch(self) -> None:
        while not self._stop.wait(min(1.0, (self._limit or 4.0) / 4)):
            now = time.monotonic()
            for number, (due, function, invocation_id) in list(self._running.items()):
                if due <= now and self._running.pop(number, None) is not None:
                    log.error(
                        "Timeout value of %g s exceeded by function %s (invocation %s)",
                        self._limit,
                        function,
                        invocation_id,
                    )
                    self.expired.append(function)
                    if self._expire is not None:
                        self._expire()
