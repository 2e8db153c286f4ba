"""Operations: one in flight for a connection."""

import asyncio

import msgspec
from msgspec.structs import replace

from shared.model.connection import Offboarding, Operation
from shared.ports import Ledger
from tests.contracts.ledger.values import connection, minutes, operation


def ended(one: Operation) -> Operation:
    return msgspec.structs.replace(one, state="succeeded", step="report", changed=minutes(5))


async def test_a_begun_operation_is_the_one_in_flight(ledger: Ledger) -> None:
    await ledger.create(connection())
    assert await ledger.begin(operation("a"))
    assert await ledger.operation("dvls", "a") == operation("a")
    known = await ledger.connection("dvls")
    assert known is not None and known.operation == "a"


async def test_an_unknown_operation_is_none(ledger: Ledger) -> None:
    assert await ledger.operation("nobody", "a") is None
    await ledger.create(connection())
    assert await ledger.operation("dvls", "a") is None
    assert await ledger.operations("dvls") == []


async def test_a_running_one_blocks_others(ledger: Ledger) -> None:
    await ledger.create(connection())
    assert await ledger.begin(operation("a"))
    assert not await ledger.begin(operation("b"))
    assert await ledger.operation("dvls", "b") is None
    assert await ledger.operations("dvls") == [operation("a")]


async def test_beginning_again_keeps_the_progress(ledger: Ledger) -> None:
    await ledger.create(connection())
    await ledger.begin(operation("a"))
    moved = operation("a", step="consent", changed=minutes(1))
    assert await ledger.advance(moved, known=operation("a"))
    assert await ledger.begin(operation("a"))
    assert await ledger.operation("dvls", "a") == moved


async def test_what_has_moved_on_is_not_brought_back(ledger: Ledger) -> None:
    """Two processes with the same message: the slower one is told."""
    await ledger.create(connection())
    await ledger.begin(operation("a"))
    moved = operation("a", step="consent", changed=minutes(1))
    assert await ledger.advance(moved, known=operation("a"))
    again = operation("a", step="consent", changed=minutes(2))
    assert not await ledger.advance(again, known=operation("a"))
    assert await ledger.advance(ended(moved), known=moved)
    assert not await ledger.advance(again, known=moved)
    assert await ledger.operation("dvls", "a") == ended(moved)


async def test_of_ten_that_advance_it_at_once_one_is_the_first(ledger: Ledger) -> None:
    await ledger.create(connection())
    await ledger.begin(operation("a"))
    ways = [operation("a", step=f"step-{n}", changed=minutes(1)) for n in range(10)]
    done = await asyncio.gather(*(ledger.advance(w, known=operation("a")) for w in ways))
    assert done.count(True) == 1
    assert await ledger.operation("dvls", "a") == ways[done.index(True)]


async def test_an_ended_one_makes_room(ledger: Ledger) -> None:
    await ledger.create(connection())
    await ledger.begin(operation("a"))
    assert await ledger.advance(ended(operation("a")), known=operation("a"))
    later = operation("b", started=minutes(9))
    assert await ledger.begin(later)
    known = await ledger.connection("dvls")
    assert known is not None and known.operation == "b"
    assert await ledger.operations("dvls") == [ended(operation("a")), later]


async def test_an_ended_one_is_not_run_again(ledger: Ledger) -> None:
    await ledger.create(connection())
    await ledger.begin(operation("a"))
    assert await ledger.advance(ended(operation("a")), known=operation("a"))
    assert await ledger.begin(operation("a"))
    assert await ledger.operation("dvls", "a") == ended(operation("a"))
    await ledger.begin(operation("b"))
    assert await ledger.begin(operation("a"))
    known = await ledger.connection("dvls")
    assert known is not None and known.operation == "b"


async def test_of_twenty_beginners_one_succeeds(ledger: Ledger) -> None:
    await ledger.create(connection())
    for round_ in range(3):
        ids = [f"{round_}-{n}" for n in range(20)]
        begun = await asyncio.gather(*(ledger.begin(operation(id_)) for id_ in ids))
        assert begun.count(True) == 1
        winner = ids[begun.index(True)]
        known = await ledger.connection("dvls")
        assert known is not None and known.operation == winner
        assert len(await ledger.operations("dvls")) == round_ + 1
        assert await ledger.advance(ended(operation(winner)), known=operation(winner))


async def test_twenty_repeats_of_one_request_all_succeed(ledger: Ledger) -> None:
    await ledger.create(connection())
    assert all(await asyncio.gather(*(ledger.begin(operation("a")) for _ in range(20))))
    assert await ledger.operations("dvls") == [operation("a")]


async def test_connections_do_not_block_one_another(ledger: Ledger) -> None:
    for name in ("one", "two"):
        await ledger.create(connection(name))
    assert await ledger.begin(operation("a", "one"))
    assert await ledger.begin(operation("a", "two"))
    assert await ledger.operations("one") == [operation("a", "one")]


async def test_a_finished_operation_can_be_forgotten(ledger: Ledger) -> None:
    await ledger.create(connection())
    for id_ in ("a", "b"):
        assert await ledger.begin(operation(id_))
        assert await ledger.advance(ended(operation(id_)), known=operation(id_))
    await ledger.forget(operation("a"))
    await ledger.forget(operation("a"))
    assert [o.id for o in await ledger.operations("dvls")] == ["b"]
    assert await ledger.begin(operation("c"))


class TestInsteadOfAnother:
    """An emergency does not wait for what is in flight."""

    async def test_the_running_one_gives_way(self, ledger: Ledger) -> None:
        await ledger.create(connection())
        await ledger.begin(operation("a"))
        urgent = operation("b", started=minutes(1))
        assert await ledger.begin(urgent, instead_of="a")
        known = await ledger.connection("dvls")
        assert known is not None and known.operation == "b"
        assert await ledger.operation("dvls", "b") == urgent
        assert await ledger.operation("dvls", "a") == operation("a")  # the caller's to end
        assert not await ledger.begin(operation("a")), "it must not come back"

    async def test_only_the_one_that_was_meant(self, ledger: Ledger) -> None:
        await ledger.create(connection())
        await ledger.begin(operation("a"))
        assert not await ledger.begin(operation("b"), instead_of="c")
        assert await ledger.operation("dvls", "b") is None

    async def test_one_that_has_ended_meanwhile(self, ledger: Ledger) -> None:
        await ledger.create(connection())
        await ledger.begin(operation("a"))
        assert await ledger.advance(ended(operation("a")), known=operation("a"))
        assert await ledger.begin(operation("b"), instead_of="a")
        assert await ledger.operation("dvls", "a") == ended(operation("a"))

    async def test_of_twenty_at_once_one_succeeds(self, ledger: Ledger) -> None:
        await ledger.create(connection())
        await ledger.begin(operation("a"))
        ids = [f"urgent-{n}" for n in range(20)]
        begun = await asyncio.gather(*(ledger.begin(operation(id_), instead_of="a") for id_ in ids))
        assert begun.count(True) == 1
        known = await ledger.connection("dvls")
        assert known is not None and known.operation == ids[begun.index(True)]

    async def test_a_repeat_is_success(self, ledger: Ledger) -> None:
        await ledger.create(connection())
        await ledger.begin(operation("a"))
        for _ in range(2):
            assert await ledger.begin(operation("b"), instead_of="a")
        assert [o.id for o in await ledger.operations("dvls")] == ["a", "b"]


class TestLeaving:
    """The mark of an offboarding is in the very write that begins it."""

    async def test_it_is_there_as_soon_as_the_operation_is(self, ledger: Ledger) -> None:
        await ledger.create(connection())
        mark = Offboarding(by="ana", reason="replaced", asked=minutes(0))
        assert await ledger.begin(operation("a"), leaving=mark)
        known = await ledger.connection("dvls")
        assert known is not None and (known.operation, known.offboarding) == ("a", mark)

    async def test_the_first_one_stays_with_how_far_it_is(self, ledger: Ledger) -> None:
        await ledger.create(connection())
        mark = Offboarding(by="ana", reason="replaced", asked=minutes(0), begun=minutes(1))
        await ledger.amend("dvls", offboarding=mark)
        assert await ledger.begin(operation("b"), leaving=replace(mark, by="bo", begun=None))
        known = await ledger.connection("dvls")
        assert known is not None and known.offboarding == mark

    async def test_there_is_none_where_another_operation_runs(self, ledger: Ledger) -> None:
        await ledger.create(connection())
        await ledger.begin(operation("a"))
        mark = Offboarding(by="ana", reason="replaced", asked=minutes(0))
        assert not await ledger.begin(operation("b"), leaving=mark)
        known = await ledger.connection("dvls")
        assert known is not None and known.offboarding is None
