"""Turns: one step at a time works on a connection, and writes are spaced."""

import asyncio
from datetime import timedelta

import pytest

from shared.adapters.ledger.turns import LEASE
from shared.errors import TryLater
from shared.ports import Ledger
from tests.fakes import WRITE_SPACING, FakeClock

SECOND = timedelta(seconds=1)


async def busy(ledger: Ledger, name: str = "dvls") -> bool:
    try:
        async with ledger.turn(name):
            return False
    except TryLater as reason:
        return reason.code == "BUSY"


async def test_waiting_for_a_turn_is_short_and_patient(ledger: Ledger) -> None:
    async with ledger.turn("dvls"):
        with pytest.raises(TryLater) as refusal:
            await ledger.turn("dvls").__aenter__()
    assert refusal.value.code == "BUSY"
    assert refusal.value.after == timedelta(seconds=2)
    assert refusal.value.limit == timedelta(hours=1)


async def write_and_fail(ledger: Ledger) -> None:
    async with ledger.turn("dvls") as turn:
        turn.after_write()
        raise ValueError("a bug")


async def test_a_turn_excludes_others_until_it_ends(ledger: Ledger) -> None:
    async with ledger.turn("dvls"):
        assert await busy(ledger)
        assert not await busy(ledger, "pam")
    assert not await busy(ledger)


@pytest.mark.parametrize("known", [False, True])
async def test_of_twenty_one_gets_the_turn(ledger: Ledger, *, known: bool) -> None:
    if known:
        assert not await busy(ledger)
    everybody_tried, tries, got = asyncio.Event(), [], []

    async def take(number: int) -> None:
        try:
            async with ledger.turn("dvls"):
                got.append(number)
                tries.append(number)
                async with asyncio.timeout(30):
                    await everybody_tried.wait()
        except TryLater:
            tries.append(number)
        if len(tries) == 20:
            everybody_tried.set()

    async with asyncio.TaskGroup() as group:
        for number in range(20):
            group.create_task(take(number))
    assert len(got) == 1
    assert not await busy(ledger)


async def test_a_failed_step_lets_go(ledger: Ledger) -> None:
    with pytest.raises(ValueError, match="a bug"):
        async with ledger.turn("dvls"):
            raise ValueError("a bug")
    assert not await busy(ledger)


async def test_a_cancelled_step_lets_go(ledger: Ledger) -> None:
    inside = asyncio.Event()

    async def hold() -> None:
        async with ledger.turn("dvls"):
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(hold())
    async with asyncio.timeout(30):
        await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not await busy(ledger)


async def test_a_lease_lapses_and_its_old_holder_does_no_harm(
    ledger: Ledger, clock: FakeClock
) -> None:
    async with ledger.turn("dvls") as old:
        clock.advance(LEASE - SECOND)
        assert await busy(ledger)
        clock.advance(SECOND)
        taken_over = ledger.turn("dvls")
        async with asyncio.timeout(30):
            await taken_over.__aenter__()
        clock.advance(SECOND)
        old.after_write()
    assert await busy(ledger), "the old holder must not end the new one's turn"
    await taken_over.__aexit__(None, None, None)
    async with ledger.turn("dvls") as turn:
        with pytest.raises(TryLater):
            turn.before_write()  # the old holder's write counts all the same


async def test_writes_are_spaced(ledger: Ledger, clock: FakeClock) -> None:
    async with ledger.turn("dvls") as turn:
        turn.before_write()
        turn.after_write()
        with pytest.raises(TryLater):
            turn.before_write()
    clock.advance(seconds=4)
    async with ledger.turn("dvls") as turn:
        with pytest.raises(TryLater) as refusal:
            turn.before_write()
    assert refusal.value.code == "BUSY"
    assert refusal.value.after == WRITE_SPACING - timedelta(seconds=4)
    clock.advance(seconds=6)
    async with ledger.turn("dvls") as turn:
        turn.before_write()
    async with ledger.turn("pam") as other:
        other.before_write()


async def test_a_write_counts_when_the_step_fails_after_it(
    ledger: Ledger, clock: FakeClock
) -> None:
    with pytest.raises(ValueError, match="a bug"):
        await write_and_fail(ledger)
    async with ledger.turn("dvls") as turn:
        with pytest.raises(TryLater):
            turn.before_write()


async def test_a_turn_without_a_write_keeps_the_last_one(ledger: Ledger, clock: FakeClock) -> None:
    async with ledger.turn("dvls") as turn:
        turn.after_write()
    clock.advance(seconds=9)
    assert not await busy(ledger)
    async with ledger.turn("dvls") as turn:
        with pytest.raises(TryLater):
            turn.before_write()
