"""A person's word about held removals, acted on by the worker."""

import pytest
from msgspec.structs import replace

from shared.errors import TryLater
from shared.model.connection import Operation
from shared.model.scan import APPROVE, DROP
from tests.fakes import FakeContext
from tests.in_memory.discovery.holding import ids, scanned
from tests.in_memory.discovery.scans import NAME, condition, connected, deliver


async def held() -> FakeContext:
    ctx = await connected()
    await scanned(ctx, NAME, "run-1", range(6))
    await scanned(ctx, NAME, "run-2", range(2), hold=True)
    return ctx


async def decided(ctx: FakeContext, choice: str, operation: str = "run-2") -> None:
    now = ctx.clock.now()
    begun = Operation(
        id="o9",
        kind="discover",
        connection=NAME,
        state="running",
        step="discovery",
        started=now,
        changed=now,
        asked_by="eve",
        options=(choice, operation),
    )
    assert await ctx.ledger.begin(begun)
    await deliver(ctx, "o9")


@pytest.mark.parametrize(("choice", "left"), [(APPROVE, 2), (DROP, 6)])
async def test_what_is_held_goes_or_stays(choice: str, left: int) -> None:
    ctx = await held()
    await decided(ctx, choice)
    assert len(await ids(ctx, NAME)) == left
    assert await ctx.account_store.held(NAME) is None
    told = await condition(ctx)
    assert told.reason == "DISCOVERED"
    assert "eve" in told.message
    assert len(await ctx.account_store.summaries(NAME)) == 2  # it was no scan


async def test_the_same_word_twice_is_one() -> None:
    ctx = await held()
    await decided(ctx, APPROVE)
    known = await ctx.ledger.operation(NAME, "o9")
    assert known is not None
    await ctx.ledger.advance(replace(known, state="running"), known=known)
    await deliver(ctx, "o9")
    rows = [row["what"] for row in await ctx.ledger.history(NAME)]
    assert rows.count("removals.approved") == 1
    assert len(await ids(ctx, NAME)) == 2


async def test_what_a_later_scan_held_is_not_meant() -> None:
    ctx = await held()
    await scanned(ctx, NAME, "run-3", range(1), hold=True)
    await decided(ctx, APPROVE, "run-2")
    assert len(await ids(ctx, NAME)) == 6
    known = await ctx.account_store.held(NAME)
    assert known is not None
    assert known.operation == "run-3"


async def test_a_word_is_kept_while_storage_is_down() -> None:
    ctx = await held()
    ctx.tenant.fail("account_store.release", TryLater("STORAGE_UNAVAILABLE", "HTTP 503"))
    await decided(ctx, APPROVE)
    assert len(await ids(ctx, NAME)) == 6
    await deliver(ctx, "o9")
    assert len(await ids(ctx, NAME)) == 2
