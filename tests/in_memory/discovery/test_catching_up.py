"""Scans that fall due: one at a time, and what was missed is made up for by one."""

from datetime import datetime, timedelta

import pytest

from functions.sweeps import sweep
from shared.model.accounts import Summary
from tests.fakes import FakeContext
from tests.in_memory.discovery.exporting import exporting
from tests.in_memory.discovery.killing import survive
from tests.in_memory.discovery.scans import NAME, deliver, end

pytestmark = pytest.mark.requirement("D-37", "N-22")


async def due(ctx: FakeContext) -> datetime:
    return (await ctx.ledger.due_times(NAME))["discover"]


async def swept(ctx: FakeContext) -> str:
    """The operation that a timer started; empty when it started none."""
    if not await sweep(ctx, "discover"):
        return ""
    sent = ctx.outbox.take()
    assert sent is not None
    assert sent.step == "discovery"
    return sent.message.operation


async def over(ctx: FakeContext, operation: str) -> Summary:
    while (sent := ctx.outbox.take()) is not None and sent.step == "discovery":
        ctx.clock.reach(sent.at)
        await deliver(ctx, operation)
    await end(ctx, operation)
    ctx.outbox.queued.clear()
    return next(s for s in await ctx.account_store.summaries(NAME) if s.operation == operation)


async def test_a_week_without_timers_is_made_up_for_by_one_scan() -> None:
    ctx = await exporting()
    await survive(ctx, "o1")
    ctx.clock.advance(days=5)
    operation = await swept(ctx)
    assert operation
    await deliver(ctx, operation)
    assert (await over(ctx, operation)).read == "changes"
    assert await swept(ctx) == ""
    wait = await due(ctx) - ctx.clock.now()
    assert timedelta(minutes=14) < wait < timedelta(minutes=17)


async def test_no_other_scan_begins_while_one_goes_on() -> None:
    ctx = await exporting(users=40, seconds=20)
    ctx.clock.advance(minutes=1)
    await ctx.ledger.set_due("discover", NAME, ctx.clock.now())
    operation = await swept(ctx)
    slices = 0
    while operation:
        await deliver(ctx, operation)
        slices += 1
        ctx.clock.advance(minutes=16)  # a time at which the next one is due
        assert await sweep(ctx, "discover") == 0
        sent = ctx.outbox.take()
        assert sent is not None
        if sent.step != "discovery":
            break
        assert sent.message.operation == operation
    assert slices > 3
    await end(ctx, operation)
    (summary,) = await ctx.account_store.summaries(NAME)
    assert summary.state == "succeeded"
    assert await ctx.account_store.progress(NAME, operation) is None
    ctx.clock.reach(await due(ctx))
    following = await swept(ctx)
    assert following not in ("", operation)
    await deliver(ctx, following)
    assert (await over(ctx, following)).read == "changes"


async def test_a_slice_that_is_delivered_twice_is_read_once() -> None:
    ctx = await exporting(users=40, seconds=20)
    await ctx.ledger.set_due("discover", NAME, ctx.clock.now())
    operation = await swept(ctx)
    await deliver(ctx, operation)
    read = await ctx.account_store.progress(NAME, operation)
    assert read is not None
    await deliver(ctx, operation)  # a lock was lost, and the same message comes again
    summary = await over(ctx, operation)
    assert (summary.state, summary.accounts, summary.added) == ("succeeded", 40, 40)
    assert {source.id: source.accounts for source in summary.sources}["user"] == 40
