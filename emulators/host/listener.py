"""What every kind of listener shares: the app's functions, how one runs, and what ends it."""

import asyncio
import logging
from dataclasses import dataclass
from typing import Any, Protocol

from emulators.host.context import Call
from emulators.host.function import Function
from emulators.host.invoke import Dispatcher, Outcome
from emulators.host.watchdog import Watchdog

log = logging.getLogger("host.listener")


@dataclass(frozen=True)
class Runner:
    """Runs invocations, each in a task of its own, under the function timeout."""

    dispatcher: Dispatcher
    watchdog: Watchdog

    async def run(self, function: Function, call: Call) -> Outcome:
        with self.watchdog.watching(function.name, call.id):
            return await asyncio.create_task(self.dispatcher.invoke(function, call))


class Listener(Protocol):
    """One trigger that is listened to."""

    async def run(self) -> None:
        """Listen until cancelled."""


async def end(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks and wait for them; what they raise while ending is of no interest."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
