"""The process dies at every single call to storage, before or after its effect."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial

import pytest

from shared.adapters.ledger.turns import LEASE
from shared.adapters.table_ledger import TableLedger
from shared.errors import TryLater
from shared.model.storage import PREFIX
from tests.contracts.ledger.network import Crash, Network, tables
from tests.contracts.ledger.values import connection, minutes, operation
from tests.fakes import FakeClock

POINTS = range(1, 8)
"""Calls to die at: more than any method makes, so that the last ones never come."""


async def crashes(
    network: Network, point: int, work: Callable[[], Awaitable[object]], *, after_effect: bool
) -> bool:
    """Whether *work* came to the crash point."""
    network.crash_at(point, after_effect=after_effect)
    try:
        await work()
    except Crash:
        network.revive()
        return True
    network.revive()
    return False


async def rows(connection_string: str, table: str) -> list[tuple[str, str]]:
    async with tables(connection_string) as service:
        client = service.get_table_client(PREFIX + table)
        return sorted(
            [(row["PartitionKey"], row["RowKey"]) async for row in client.list_entities()]
        )


@pytest.mark.parametrize("after_effect", [False, True])
async def test_begin_heals_when_it_is_repeated(
    table_ledger: TableLedger, network: Network, *, after_effect: bool
) -> None:
    crashed = []
    for point in POINTS:
        name = f"c{point}"
        await table_ledger.create(connection(name))
        wanted = operation("a", name)
        crashed.append(
            await crashes(
                network, point, partial(table_ledger.begin, wanted), after_effect=after_effect
            )
        )
        assert await table_ledger.begin(wanted)
        known = await table_ledger.connection(name)
        assert known == connection(name, operation="a")
        assert await table_ledger.operation(name, "a") == wanted
        assert await table_ledger.operations(name) == [wanted]
        assert not await table_ledger.begin(operation("b", name))
    assert crashed[0] and not crashed[-1]


@pytest.mark.parametrize("after_effect", [False, True])
async def test_whoever_comes_after_a_crash_finds_one_operation(
    table_ledger: TableLedger, network: Network, *, after_effect: bool
) -> None:
    for point in POINTS:
        name = f"c{point}"
        await table_ledger.create(connection(name))
        wanted, other = operation("a", name), operation("b", name)
        await crashes(
            network, point, partial(table_ledger.begin, wanted), after_effect=after_effect
        )
        known = await table_ledger.connection(name)
        assert known is not None
        if known.operation:  # the crash came after the decision: it is found, and blocks others
            assert await table_ledger.operation(name, "a") == wanted
        begun = [await table_ledger.begin(other), await table_ledger.begin(wanted)]
        assert begun == ([False, True] if known.operation else [True, False])
        assert await table_ledger.operations(name) == [wanted if known.operation else other]


@pytest.mark.parametrize("after_effect", [False, True])
@pytest.mark.parametrize(
    ("old", "new"),
    [(None, minutes(2)), (minutes(1), minutes(2)), (minutes(3), minutes(2)), (minutes(1), None)],
    ids=["first", "later", "earlier", "off"],
)
async def test_due_is_never_lost_or_double(
    storage: str,
    table_ledger: TableLedger,
    network: Network,
    old: datetime | None,
    new: datetime | None,
    *,
    after_effect: bool,
) -> None:
    crashed = []
    for point in POINTS:
        name, kind = f"c{point}", f"k{point}"
        await table_ledger.set_due(kind, name, old)
        crashed.append(
            await crashes(
                network,
                point,
                partial(table_ledger.set_due, kind, name, new),
                after_effect=after_effect,
            )
        )
        between = (await table_ledger.due_times(name)).get(kind)
        assert between in (old, new)
        assert await table_ledger.due(kind, minutes(9), 5) == ([name] if between else [])
        await table_ledger.set_due(kind, name, new)
        assert (await table_ledger.due_times(name)).get(kind) == new
        assert await table_ledger.due(kind, minutes(9), 5) == ([name] if new else [])
        left = [row for part, row in await rows(storage, "due") if part == kind]
        assert len(left) == (2 if new else 0), "an orphan was left in the index"
    assert crashed[0] and not crashed[-1]


@pytest.mark.parametrize("after_effect", [False, True])
@pytest.mark.parametrize("known", [False, True])
async def test_a_turn_comes_back_after_its_holder_died(
    table_ledger: TableLedger,
    network: Network,
    clock: FakeClock,
    *,
    known: bool,
    after_effect: bool,
) -> None:
    async def step(name: str) -> None:
        async with table_ledger.turn(name) as turn:
            turn.after_write()

    crashed = []
    for point in POINTS:
        name = f"c{point}"
        if known:
            async with table_ledger.turn(name):
                pass
        crashed.append(
            await crashes(network, point, partial(step, name), after_effect=after_effect)
        )
        try:
            async with table_ledger.turn(name):
                pass
        except TryLater:
            assert crashed[-1]
        clock.advance(LEASE)
        async with table_ledger.turn(name):
            pass
    assert crashed == [True, True, True, False, False, False, False]


@pytest.mark.parametrize("point", POINTS)
async def test_lost_answers_are_asked_for_again(
    table_ledger: TableLedger, network: Network, point: int
) -> None:
    """The SDK repeats a call that took effect, and meets its own first attempt."""

    async def losing(work: Awaitable[object]) -> object:
        network.lose_answer(point)
        return await work

    await losing(table_ledger.create(connection()))  # False when it meets itself
    assert await losing(table_ledger.begin(operation("a")))
    assert await table_ledger.operations("dvls") == [operation("a")]
    await losing(table_ledger.set_due("rotate", "dvls", minutes(1)))
    await losing(table_ledger.set_due("rotate", "dvls", minutes(2)))
    assert await table_ledger.due("rotate", minutes(9), 5) == ["dvls"]
    await losing(table_ledger.record("dvls", minutes(1), "noted", {}))
    assert len(await table_ledger.history("dvls")) == 1
    for _ in range(2):
        network.lose_answer(point)
        async with table_ledger.turn("dvls"):
            with pytest.raises(TryLater):
                async with table_ledger.turn("dvls"):
                    raise AssertionError("two holders")
