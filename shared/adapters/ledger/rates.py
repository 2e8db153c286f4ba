"""How often somebody has asked for something in the present window: one row for each of them."""

from datetime import datetime

from shared.adapters.ledger.columns import pack, stamp, unpack
from shared.adapters.ledger.table import Table, key
from shared.errors import TryLater

ATTEMPTS = 20


class Rates:
    """The part of ``ports.Ledger`` that counts, over all instances of the application."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def count(self, what: str, who: str, window: datetime) -> int:
        part, row, since = key(what), key(who), stamp(window)
        for _ in range(ATTEMPTS):
            known = await self._table.get(part, row)
            if known is None:
                if await self._table.insert(part, row, _columns(since, 1)) is not None:
                    return 1
                continue
            same = unpack(known.columns, "since", str) == since
            used = unpack(known.columns, "used", int) + 1 if same else 1
            if await self._table.exchange(part, row, _columns(since, used), tag=known.tag):
                return used
        raise TryLater("BUSY", f"{who} sends too many requests at once")


def _columns(since: str, used: int) -> dict[str, str]:
    return {**pack("since", since), **pack("used", used)}
