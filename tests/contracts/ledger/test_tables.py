"""What only the real ledger can show: round trips, limits, refusals, and who made the tables."""

import asyncio
import socket
from datetime import timedelta

import pytest
from azure.data.tables.aio import TableServiceClient

from shared.adapters.ledger import turns
from shared.adapters.table_ledger import TableLedger
from shared.context import Context
from shared.errors import NeedsHuman, TryLater
from shared.model.connection import Aspect
from shared.model.storage import PREFIX, TABLES
from tests.contracts.ledger.network import Network, tables
from tests.contracts.ledger.values import condition, connection, minutes, operation
from tests.fakes import FakeClock, fake_context


async def test_round_trips_are_few(table_ledger: TableLedger, network: Network) -> None:
    await table_ledger.create(connection())
    network.calls.clear()
    await table_ledger.connection("dvls")
    assert len(network.calls) == 1
    network.calls.clear()
    await table_ledger.set_condition("dvls", condition(Aspect.VERIFIED))
    assert len(network.calls) == 1
    for _ in range(2):
        network.calls.clear()
        async with table_ledger.turn("dvls") as turn:
            assert len(network.calls) == 2
            turn.after_write()
        assert len(network.calls) == 3
    network.calls.clear()
    await table_ledger.begin(operation())
    assert len(network.calls) <= 4
    await table_ledger.set_due("rotate", "dvls", minutes(1))
    network.calls.clear()
    await table_ledger.set_due("rotate", "dvls", minutes(2))
    assert len(network.calls) == 2


async def test_tables_may_be_made_by_many_at_once(storage: str, clock: FakeClock) -> None:
    async with tables(storage) as service:
        ledger = TableLedger(service, clock)
        await asyncio.gather(*(ledger.ensure_tables() for _ in range(5)))
        made = {table.name async for table in service.list_tables()}
    assert {PREFIX + name for name in TABLES} <= made


async def test_two_processes_see_the_same(
    storage: str, table_ledger: TableLedger, clock: FakeClock
) -> None:
    async with tables(storage) as service:
        other = TableLedger(service, clock)
        await table_ledger.create(connection())
        begun = await asyncio.gather(
            *(
                ledger.begin(operation(f"{number}-{n}"))
                for number, ledger in enumerate((table_ledger, other))
                for n in range(10)
            )
        )
        assert begun.count(True) == 1
        assert await other.connection("dvls") == await table_ledger.connection("dvls")
        await table_ledger.set_due("rotate", "dvls", minutes(1))
        assert await other.due_times("dvls") == {"rotate": minutes(1)}


async def test_a_value_too_large_for_a_row_is_refused_by_name(table_ledger: TableLedger) -> None:
    await table_ledger.create(connection())
    with pytest.raises(ValueError, match=r"condition_Verified has \d+ characters"):
        await table_ledger.set_condition("dvls", condition(Aspect.VERIFIED, "x" * 200_000))
    known = await table_ledger.connection("dvls")
    assert known is not None and known.conditions == ()


async def test_a_due_row_deleted_by_hand_does_not_block(
    storage: str, table_ledger: TableLedger
) -> None:
    await table_ledger.set_due("rotate", "dvls", minutes(1))
    async with tables(storage) as service:
        client = service.get_table_client(f"{PREFIX}due")
        async for row in client.query_entities("RowKey ge 'due:' and RowKey lt 'due;'"):
            await client.delete_entity(row["PartitionKey"], row["RowKey"])
    await table_ledger.set_due("rotate", "dvls", minutes(2))
    assert await table_ledger.due("rotate", minutes(9), 5) == ["dvls"]


async def test_a_refused_identity_needs_a_human(storage: str, clock: FakeClock) -> None:
    key = storage.partition("AccountKey=")[2].partition(";")[0]
    wrong = storage.replace(key, "A" * 86 + "==")
    async with TableServiceClient.from_connection_string(wrong) as service:
        ledger = TableLedger(service, clock)
        await ledger.ensure_tables()  # the deployment may have made them
        with pytest.raises(NeedsHuman) as refusal:
            await ledger.create(connection())
    assert refusal.value.code == "AUTOMATION_PRIVILEGE"
    assert "Storage Table Data Contributor" in refusal.value.remedy


async def test_storage_that_is_down_is_tried_later(storage: str, clock: FakeClock) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    endpoint = storage.partition("TableEndpoint=")[2].partition(";")[0]
    down = storage.replace(endpoint, f"http://127.0.0.1:{port}/devstoreaccount1")
    async with tables(down) as service:
        ledger = TableLedger(service, clock)
        for call in (
            ledger.connection("dvls"),
            ledger.connections(),
            ledger.begin(operation()),
            ledger.set_due("rotate", "dvls", minutes(1)),
            ledger.turn("dvls").__aenter__(),
        ):
            with pytest.raises(TryLater) as reason:
                await call
            assert reason.value.code == "LEDGER_DOWN"


async def test_a_turn_that_cannot_be_given_back_lapses(
    table_ledger: TableLedger, network: Network, clock: FakeClock
) -> None:
    async with table_ledger.turn("dvls"):
        network.cut = True  # and yet the step succeeds: what it did is done
    network.cut = False
    with pytest.raises(TryLater):
        await table_ledger.turn("dvls").__aenter__()
    clock.advance(turns.LEASE)
    async with table_ledger.turn("dvls") as turn:
        turn.before_write()


async def test_a_turn_outlives_its_lease_while_its_step_runs(
    table_ledger: TableLedger,
    network: Network,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(turns, "RENEWAL", timedelta(milliseconds=1))

    async with table_ledger.turn("dvls"):
        for _ in range(4):
            clock.advance(turns.LEASE * 2 / 3)
            await network.further_calls(3)  # the first may have begun before
        # An answer is lost after its effect: the SDK asks again, and meets itself.
        network.lose_answer(1)
        await network.further_calls(5)
        clock.advance(turns.LEASE * 2 / 3)
        await network.further_calls(3)
        with pytest.raises(TryLater):
            await table_ledger.turn("dvls").__aenter__()
    async with table_ledger.turn("dvls"):
        pass


async def test_it_is_a_ledger_to_the_type_checker_too(table_ledger: TableLedger) -> None:
    ctx: Context = fake_context(ledger=table_ledger)
    assert ctx.ledger is table_ledger
