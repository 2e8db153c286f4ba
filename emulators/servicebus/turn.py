"""One turn of the event loop: serve queues, commit once, write what may be acknowledged."""

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from typing import Protocol

log = logging.getLogger(__name__)


class Pumped(Protocol):
    """Something that hands out messages when it is its turn."""

    def pump(self) -> None: ...


class Writer(Protocol):
    """Something whose output waits for the commit."""

    def flush(self) -> None: ...

    def abort(self) -> None: ...


class Turn:
    """Collects the work of a turn, so that one commit covers all of it.

    Dispositions are written after the commit only: an acknowledged change is a stored change.
    """

    def __init__(self, commit: Callable[[], None] = lambda: None) -> None:
        self._commit = commit
        self._pumped: dict[Pumped, None] = {}
        self._writers: dict[Writer, None] = {}
        self._scheduled = False
        self.failed = asyncio.Event()

    def pump(self, queue: Pumped) -> None:
        self._pumped[queue] = None
        self._schedule()

    def write(self, writer: Writer) -> None:
        self._writers[writer] = None
        self._schedule()

    def commit(self) -> None:
        """Commit at the end of this turn although nothing is written (timers)."""
        self._schedule()

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._run)

    def _run(self) -> None:
        """Pump, commit and write; what the pumping asks for belongs to this turn as well."""
        try:
            while self._pumped:
                queue, _ = self._pumped.popitem()
                queue.pump()
            self._commit()
        except sqlite3.Error:
            log.critical("store.failed: nothing of this turn is acknowledged", exc_info=True)
            for writer in self._writers:
                writer.abort()
            self._writers.clear()
            self.failed.set()
        finally:
            self._scheduled = False
        writers, self._writers = self._writers, {}
        for writer in writers:
            writer.flush()
