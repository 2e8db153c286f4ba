"""Reading until the directory's replicas agree.

Reads are not monotonic: an object that was there may be missing from the next replica, so one
good read proves nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

READS = 5
ROLE_READS = 3
SPACING = 1.0  # seconds, at pace 1


async def settled(
    read: Callable[[], Awaitable[T | None]], *, times: int = READS, spacing: float = SPACING
) -> T | None:
    """The last of *times* consecutive good reads; None as soon as one of them finds nothing."""
    found = await read()
    for _ in range(times - 1):
        if found is None:
            return None
        await asyncio.sleep(spacing)
        found = await read()
    return found
