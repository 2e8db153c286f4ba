"""What one client's process measures of itself."""

import os
import resource
import time
from collections.abc import Awaitable, Callable, Iterable
from hashlib import blake2b
from pathlib import Path
from typing import Any

import msgspec

Rows = dict[str, int]
Read = Callable[[], Awaitable[Rows]]


class Round(msgspec.Struct, frozen=True):
    """One whole reading."""

    seconds: float
    cpu: float
    """Seconds of the processor in this process, all threads, user and system."""
    rows: Rows
    used: dict[str, Any] = {}
    """What the server counted meanwhile."""


class Report(msgspec.Struct, frozen=True):
    """All that a client's process says."""

    rounds: tuple[Round, ...] = ()
    peak: int = 0
    """Most bytes of memory that the process ever had (VmHWM)."""
    idle: int = 0
    """Of them what it had before it read anything, all its libraries loaded."""
    found: dict[str, Any] = {}
    """Counts and digests of the rows, to compare with the tenant's."""
    outcome: str = ""
    """Why there are no rounds, or what became of a run with faults."""
    more: dict[str, Any] = {}


async def timed(read: Read, told: Read | None = None) -> Round:
    """*told* answers the rows when the clock has stopped; else *read* does."""
    before, began = _cpu(), time.perf_counter()
    rows = await read()
    seconds, cpu = time.perf_counter() - began, _cpu() - before
    return Round(seconds, cpu, await told() if told else rows)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def peak() -> int:
    """Bytes; of this process alone, which RUSAGE_SELF would not tell after an exec."""
    return _status("VmHWM")


def resident() -> int:
    return _status("VmRSS")


def _status(name: str) -> int:
    for line in Path(f"/proc/{os.getpid()}/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) * 1024
    return 0


class Digest:
    """Of ids in any order, as the emulator's own (`emulators/graph/truth.py`)."""

    def __init__(self) -> None:
        self._count = self._total = 0

    def add(self, names: Iterable[str]) -> None:
        for name in names:
            self._count += 1
            self._total += int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big")

    def view(self) -> dict[str, Any]:
        return {"count": self._count, "digest": f"{self._total % 2**64:016x}"}
