"""The due index: what is due, the longest overdue first."""

import asyncio
from datetime import timedelta, timezone

from shared.ports import Ledger
from tests.contracts.ledger.values import minutes


async def test_nothing_is_due_at_first(ledger: Ledger) -> None:
    assert await ledger.due("rotate", minutes(0), 10) == []
    assert await ledger.due_times("dvls") == {}


async def test_longest_overdue_first(ledger: Ledger) -> None:
    for name, late in (("b", 3), ("a", 5), ("c", 1), ("never", 99)):
        await ledger.set_due("rotate", name, minutes(late))
    assert await ledger.due("rotate", minutes(10), 10) == ["c", "b", "a"]
    assert await ledger.due("rotate", minutes(10), 2) == ["c", "b"]


async def test_due_includes_its_own_moment(ledger: Ledger) -> None:
    moment = minutes(1) + timedelta(microseconds=7)
    await ledger.set_due("rotate", "dvls", moment)
    assert await ledger.due("rotate", moment - timedelta(microseconds=1), 10) == []
    assert await ledger.due("rotate", moment, 10) == ["dvls"]


async def test_order_holds_across_time_zones_and_fractions(ledger: Ledger) -> None:
    east = timezone(timedelta(hours=9))
    await ledger.set_due("rotate", "second", minutes(1) + timedelta(microseconds=1))
    await ledger.set_due("rotate", "first", minutes(1).astimezone(east))
    await ledger.set_due("rotate", "third", minutes(1) + timedelta(seconds=1))
    assert await ledger.due("rotate", minutes(2), 10) == ["first", "second", "third"]
    assert await ledger.due_times("first") == {"rotate": minutes(1)}


async def test_a_new_time_replaces_the_old(ledger: Ledger) -> None:
    await ledger.set_due("rotate", "dvls", minutes(1))
    await ledger.set_due("rotate", "dvls", minutes(5))
    assert await ledger.due("rotate", minutes(2), 10) == []
    assert await ledger.due("rotate", minutes(6), 10) == ["dvls"]
    await ledger.set_due("rotate", "dvls", minutes(3))
    await ledger.set_due("rotate", "dvls", minutes(3))
    assert await ledger.due("rotate", minutes(6), 10) == ["dvls"]
    assert await ledger.due_times("dvls") == {"rotate": minutes(3)}


async def test_none_takes_it_off(ledger: Ledger) -> None:
    await ledger.set_due("rotate", "dvls", None)
    await ledger.set_due("rotate", "dvls", minutes(1))
    await ledger.set_due("rotate", "dvls", None)
    await ledger.set_due("rotate", "dvls", None)
    assert await ledger.due("rotate", minutes(9), 10) == []
    assert await ledger.due_times("dvls") == {}
    await ledger.set_due("rotate", "dvls", minutes(2))
    assert await ledger.due("rotate", minutes(9), 10) == ["dvls"]


async def test_kinds_are_apart(ledger: Ledger) -> None:
    await ledger.set_due("rotate", "dvls", minutes(1))
    await ledger.set_due("verify", "dvls", minutes(2))
    await ledger.set_due("verify", "pam", minutes(3))
    assert await ledger.due("rotate", minutes(9), 10) == ["dvls"]
    assert await ledger.due("verify", minutes(9), 10) == ["dvls", "pam"]
    assert await ledger.due_times("dvls") == {"rotate": minutes(1), "verify": minutes(2)}


async def test_concurrent_writers_leave_one_time(ledger: Ledger) -> None:
    await ledger.set_due("rotate", "dvls", minutes(0))
    await asyncio.gather(*(ledger.set_due("rotate", "dvls", minutes(n)) for n in range(1, 9)))
    assert await ledger.due("rotate", minutes(99), 10) == ["dvls"]
    times = await ledger.due_times("dvls")
    assert times["rotate"] in [minutes(n) for n in range(1, 9)]


async def test_many_connections_are_due_in_portions(ledger: Ledger) -> None:
    names = [f"c{n:02}" for n in range(30)]
    await asyncio.gather(
        *(ledger.set_due("verify", name, minutes(n)) for n, name in enumerate(names))
    )
    seen: list[str] = []
    while found := await ledger.due("verify", minutes(99), 7):
        seen += found
        for name in found:
            await ledger.set_due("verify", name, minutes(1000))
    assert seen == names
