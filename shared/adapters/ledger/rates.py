"""How often somebody has asked for something in the present window: one row for each of them."""

import asyncio
import random
from datetime import datetime
from weakref import WeakValueDictionary

from shared.adapters.ledger.columns import pack, stamp, unpack
from shared.adapters.ledger.table import Table, key
from shared.errors import TryLater

ATTEMPTS = 20
PAUSE = 0.01
"""Seconds at most before the second attempt, twice as many before each further one."""
LONGEST = 0.64


class Rates:
    """The part of ``ports.Ledger`` that counts, over all instances of the application.

    All requests of a caller write the same row. Those of this process wait for one another, so
    that only instances compete for it, and these keep apart by chance; were each to write when
    it likes, of eight at once some would lose time after time.
    """

    def __init__(self, table: Table) -> None:
        self._table = table
        self._turns: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    async def count(self, what: str, who: str, window: datetime) -> int:
        place = key(what), key(who)
        turn = self._turns.setdefault(place, asyncio.Lock())
        async with turn:
            for attempt in range(ATTEMPTS):
                used = await self._once(*place, stamp(window))
                if used:
                    return used
                longest = min(LONGEST, PAUSE * 2**attempt)
                await asyncio.sleep(random.uniform(0, longest))  # noqa: S311 - no secret
        raise TryLater("BUSY", f"{who} sends too many requests at once")

    async def _once(self, part: str, row: str, since: str) -> int:
        """The count with this one; nought when another instance wrote meanwhile."""
        known = await self._table.get(part, row)
        if known is None:
            return 1 if await self._table.insert(part, row, _columns(since, 1)) is not None else 0
        same = unpack(known.columns, "since", str) == since
        used = unpack(known.columns, "used", int) + 1 if same else 1
        written = await self._table.exchange(part, row, _columns(since, used), tag=known.tag)
        return used if written else 0


def _columns(since: str, used: int) -> dict[str, str]:
    return {**pack("since", since), **pack("used", used)}
