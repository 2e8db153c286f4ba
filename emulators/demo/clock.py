"""Moves the local cloud's clock, and waits for what then happens by itself."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar

from emulators.demo.board import ended
from emulators.demo.client import Client, Failed, control, order
from emulators.stack import Cloud

T = TypeVar("T")

LIMIT = 60.0
"""Seconds for whatever is awaited."""

QUIET = 2.0
"""Seconds after which the clock goes on to the next run of the timers."""

SWEEP = timedelta(minutes=5)


async def advance(cloud: Cloud, by: timedelta) -> None:
    await order(cloud.state(), "clock", {"advance_seconds": by.total_seconds()})


async def advance_to(cloud: Cloud, moment: str) -> None:
    """Until a minute after *moment*."""
    told: dict[str, Any] = await control(cloud.state(), "clock", lambda answer: answer.json())
    now = datetime.fromisoformat(told["now"])
    await advance(cloud, datetime.fromisoformat(moment) - now + timedelta(minutes=1))


async def until(
    cloud: Cloud, client: Client, name: str, what: str, check: Callable[[], Awaitable[T | None]]
) -> T:
    """Ask *check* until it answers something true of the connection *name*.

    Timers that run at the same moment may get in each other's way: what comes too late is taken by
    the next run, five minutes on, to which the clock goes when nothing of any connection runs. What
    has waited for long is looked for less often, and to an operation that waits it would be long.
    """
    began = busy = time.monotonic()
    while not (found := await check()):
        now = time.monotonic()
        if now - began > LIMIT:
            raise Failed(f"waited {LIMIT:.0f} s in vain for {what} of {name}")
        if not all([ended(await client.connection(each)) for each in client.onboarded]):
            busy = now
        elif now - busy > QUIET:
            busy = now
            await advance(cloud, SWEEP)
        await asyncio.sleep(0.1)  # between two looks; the wait has its own limit
    return found
