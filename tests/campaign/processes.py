"""Processes that die: what a task of a dead one still does has no effect."""

import asyncio
import contextvars
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")


class Killed(BaseException):
    """The process is gone; no handler of the product may catch this."""


def is_kill(death: BaseException) -> bool:
    """Tasks that run side by side die in a group."""
    inner = death.exceptions if isinstance(death, BaseExceptionGroup) else (death,)
    return all(isinstance(one, Killed) for one in inner)


@dataclass(eq=False)
class Process:
    """One instance of the functions app."""

    alive: bool = True
    ended: float = 0.0  # the loop's time of its death
    frozen_at: float = 0.0
    frozen_until: float = 0.0  # it neither works nor renews its locks before
    working: int = 0  # tasks

    def require(self) -> None:
        if not self.alive:
            raise Killed

    def keeps_locks(self, now: float, lasting: float) -> bool:
        """Whether locks that last so many seconds, and are renewed, are still its own."""
        if not self.alive:
            return now < self.ended + lasting
        return now >= self.frozen_until or now < self.frozen_at + lasting


CURRENT: contextvars.ContextVar[Process | None] = contextvars.ContextVar("process", default=None)
"""The process of the running task; None for whoever watches."""

STEP: contextvars.ContextVar[str] = contextvars.ContextVar("step", default="")
"""The step, sweep or request that the task is about, for the counts of crash points."""


@dataclass
class Fleet:
    """The instances that share the work; a dead one is replaced after a while."""

    loop: asyncio.AbstractEventLoop
    size: int = 2
    processes: list[Process] = field(default_factory=list)
    deaths: int = 0

    def __post_init__(self) -> None:
        self.processes = [Process() for _ in range(self.size)]
        self._back = asyncio.Event()

    def kill(self, process: Process, restart_after: float) -> None:
        if not process.alive:
            return
        process.alive, process.ended = False, self.loop.time()
        self.deaths += 1
        self.processes.remove(process)
        self.loop.call_later(restart_after, self._replace)

    def _replace(self) -> None:
        self.processes.append(Process())
        self._back.set()

    async def run(self, about: str, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Do *work* in the least busy process; raises `Killed` when that dies first."""
        while not self.processes:
            self._back.clear()
            await self._back.wait()
        process = min(self.processes, key=lambda p: (p.frozen_until, p.working))
        context = contextvars.copy_context()
        context.run(CURRENT.set, process)
        context.run(STEP.set, about)
        process.working += 1
        try:
            return await self.loop.create_task(work(), context=context)
        finally:
            process.working -= 1
