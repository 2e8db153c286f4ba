"""What stalls for longer than an offboarding takes does nothing to what takes up the name."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any

import pytest

from functions.sweeps import sweep
from shared.runtime import run
from shared.step import STEPS
from tests.fakes import FakeContext
from tests.in_memory.chain.departures import ask, assert_gone
from tests.in_memory.chain.test_crash_points import deliver_through
from tests.in_memory.chain.test_recovery import onboarded
from tests.in_memory.chain.world import NAME, assert_onboarded, connection, onboard

ours = ContextVar("ours", default=False)
"""Whether a call is of the work that stalls."""

pytestmark = pytest.mark.requirement("X-18", "X-03")


@asynccontextmanager
async def stalled(
    ctx: FakeContext, work: Coroutine[Any, Any, Any], *, after: str
) -> AsyncIterator[None]:
    """Meanwhile *work* waits at the call that follows *after*; then it goes on to its end."""
    done: list[str] = []
    waits, go_on = asyncio.Event(), asyncio.Event()
    free = ctx.tenant.faults.reach

    async def reach(method: str) -> None:
        if ours.get():
            if done[-1:] == [after]:
                waits.set()
                await go_on.wait()
            done.append(method)
        await free(method)

    ctx.tenant.faults.reach = reach  # type: ignore[method-assign] # of this one object
    ours.set(True)
    task = asyncio.create_task(work)  # and its own tasks
    ours.set(False)
    async with asyncio.timeout(10):
        await waits.wait()
    yield
    go_on.set()
    await task


async def onboarded_anew(ctx: FakeContext) -> None:
    await assert_gone(ctx, NAME)
    await onboard(ctx)
    await deliver_through(ctx)


async def assert_nothing_was_done_to_it(ctx: FakeContext) -> None:
    await deliver_through(ctx)
    await assert_onboarded(ctx)
    assert (await connection(ctx)).offboarding is None


async def test_a_request() -> None:
    """Its operation goes on without it, by the sweep, and is over before it is."""
    ctx = await onboarded()
    async with stalled(ctx, ask(ctx, NAME, "leave"), after="ledger.begin"):
        ctx.clock.advance(minutes=31)
        await sweep(ctx, "resume")
        await deliver_through(ctx)
        await onboarded_anew(ctx)
    await assert_nothing_was_done_to_it(ctx)


async def test_a_delivery_that_had_read_its_rows() -> None:
    """Its message comes again meanwhile, as that of a process which has lost its lock does."""
    ctx = await onboarded()
    await ask(ctx, NAME, "leave")
    sent = ctx.outbox.take()
    assert sent is not None
    delivery = run(STEPS[sent.step], sent.body, sent.id, ctx)
    async with stalled(ctx, delivery, after="ledger.operation"):
        await run(STEPS[sent.step], sent.body, sent.id, ctx)
        await deliver_through(ctx)
        await onboarded_anew(ctx)
    await assert_nothing_was_done_to_it(ctx)
