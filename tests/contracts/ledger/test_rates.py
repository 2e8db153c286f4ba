"""Counting what somebody asks for, over all instances of the application."""

import asyncio

from shared.adapters.table_ledger import TableLedger
from shared.ports import Ledger
from tests.contracts.ledger.network import tables
from tests.contracts.ledger.values import minutes
from tests.fakes import WRITE_SPACING, FakeClock

HOUR = minutes(0)
NEXT = minutes(60)


async def test_each_is_counted_by_itself_and_anew_in_each_window(ledger: Ledger) -> None:
    assert [await ledger.count("onboard", "ana", HOUR) for _ in range(3)] == [1, 2, 3]
    assert await ledger.count("onboard", "bo", HOUR) == 1
    assert await ledger.count("fetch", "ana", HOUR) == 1
    assert await ledger.count("onboard", "ana", NEXT) == 1
    assert await ledger.count("onboard", "ana", NEXT) == 2


async def test_a_caller_may_be_called_anything(ledger: Ledger) -> None:
    for who in ("function-key", "a/b\\c#d?e", "ä" * 200, "id'; drop"):
        assert await ledger.count("onboard", who, HOUR) == 1
        assert await ledger.count("onboard", who, HOUR) == 2


async def test_instances_count_together(
    storage: str, table_ledger: TableLedger, clock: FakeClock
) -> None:
    async with tables(storage) as service:
        other = TableLedger(service, clock, write_spacing=WRITE_SPACING)
        counted = await asyncio.gather(
            *(each.count("onboard", "ana", HOUR) for each in 4 * [table_ledger, other])
        )
    assert sorted(counted) == list(range(1, 9))


async def test_a_crowd_of_one_caller_is_counted_to_the_last(
    storage: str, table_ledger: TableLedger, clock: FakeClock
) -> None:
    """All of them write one row: whoever reads and writes at random loses as often as there are
    others, and the last ones would be sent away."""
    async with tables(storage) as service:
        other = TableLedger(service, clock, write_spacing=WRITE_SPACING)
        counted = await asyncio.gather(
            *(each.count("onboard", "ana", HOUR) for each in 50 * [table_ledger, other])
        )
    assert sorted(counted) == list(range(1, 101))
