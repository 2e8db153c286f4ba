"""Blocks of a table are fetched in as few requests as their places allow, and seldom twice."""

import asyncio

import pytest

from shared.adapters.tables import Block
from shared.adapters.tables_blocks import Blocks, Kept
from tests.in_memory.snapshots.conftest import shrink

pytestmark = pytest.mark.requirement("N-21")

TEXT = bytes(number % 251 for number in range(10_000))
FIRST, NEXT, FAR = (Block(first=f"{at:05}", offset=at, length=100, rows=1) for at in (0, 150, 9000))


class Fetched:
    """The table, and which bytes of it were asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, int]] = []

    async def read(self, start: int, end: int) -> bytes:
        self.asked.append((start, end))
        return TEXT[start:end]


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Fetched:
    shrink(monkeypatch, {"tables_blocks.GAP": 100, "tables_blocks.KEPT": 250})
    return Fetched()


def body(block: Block) -> bytes:
    return TEXT[block.offset : block.offset + block.length]


async def test_near_blocks_come_together_and_far_ones_apart(table: Fetched) -> None:
    wanted = [FIRST, NEXT, FAR]
    found = await Blocks("t", table.read).packed(wanted)
    assert list(map(bytes, found)) == list(map(body, wanted))
    assert table.asked == [(0, 250), (9000, 9100)]


async def test_what_was_looked_for_is_not_fetched_again(table: Fetched) -> None:
    kept = Kept()
    await Blocks("t", table.read, kept).packed([NEXT])
    found = await Blocks("t", table.read, kept).packed([FIRST, NEXT, FAR])
    assert list(map(bytes, found)) == list(map(body, [FIRST, NEXT, FAR]))
    assert table.asked == [(150, 250), (0, 100), (9000, 9100)]


async def test_a_block_of_another_table_is_another_one(table: Fetched) -> None:
    kept = Kept()
    await Blocks("t", table.read, kept).packed([FIRST])
    await Blocks("u", table.read, kept).packed([FIRST])
    assert table.asked == [(0, 100), (0, 100)]


async def test_memory_keeps_only_those_that_were_looked_for_last(table: Fetched) -> None:
    kept = Kept()
    blocks = Blocks("t", table.read, kept)
    await blocks.packed([FIRST])
    await blocks.packed([NEXT])
    await blocks.packed([FIRST])
    await blocks.packed([FAR])  # there is room for two: NEXT has not been asked for since
    table.asked.clear()
    await blocks.packed([FIRST, FAR])
    assert table.asked == []
    await blocks.packed([NEXT])
    assert table.asked == [(150, 250)]


async def test_what_is_only_passed_is_not_kept(table: Fetched) -> None:
    blocks = Blocks("t", table.read)
    await blocks.packed([FIRST])
    await blocks.packed([FIRST])
    assert table.asked == [(0, 100), (0, 100)]


@pytest.mark.usefixtures("table")  # whose blocks are far from each other
async def test_when_one_request_fails_the_others_end_with_it() -> None:
    begun = asyncio.Event()
    ended: list[str] = []

    async def read(start: int, _: int) -> bytes:
        if start:
            await begun.wait()
            raise ConnectionError("storage is away")
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("the other")
        raise AssertionError

    with pytest.raises(ConnectionError):
        await Blocks("t", read).packed([FIRST, FAR])
    await asyncio.sleep(0)
    assert ended == ["the other"]
