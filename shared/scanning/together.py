"""Reads several sources at the same time."""

import asyncio
from collections.abc import Coroutine, Iterable, Iterator
from typing import Any

from shared.errors import TryLater

READERS = 32
"""Sources read at the same time: enough to use what Graph allows, however long an answer takes; the
limiter keeps their requests apart. More would only hold more pages in memory."""


async def together(jobs: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Run all; what is not ready yet postpones the whole step."""
    waiting = iter(jobs)

    async def reader(rest: Iterator[Coroutine[Any, Any, None]]) -> None:
        for job in rest:  # shared by all readers
            await job

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(READERS):
                group.create_task(reader(waiting))
    except BaseExceptionGroup as several:
        for job in waiting:
            job.close()
        later, other = several.split(TryLater)
        if later is None or other is not None:
            raise
        # One of several that came at once; the next attempt meets the others again.
        raise next(_single(later)) from several


def _single(group: BaseExceptionGroup[TryLater]) -> Iterator[TryLater]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _single(error)
        else:
            yield error
