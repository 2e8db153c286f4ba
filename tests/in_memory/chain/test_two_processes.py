"""A queue may give one message to two processes at once, when the first has lost its lock."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from functions import declare_steps
from shared.errors import NeedsHuman, TryLater
from shared.runtime import run
from shared.step import STEPS
from tests.fakes import FakeContext, fake_context
from tests.fakes.drive import drive
from tests.fakes.outbox import Sent
from tests.in_memory.chain.world import NAME, assert_onboarded, onboard

AT_ONCE = ("consent", "roles", "verification", "discovery", "report")
"""Steps that come to their end with the first message."""


class Frozen:
    """A process that stands still right before one of its calls, until it is let go."""

    def __init__(self, ctx: FakeContext, method: str) -> None:
        self._method, self._task = method, asyncio.current_task()
        self._stopped, self._again = asyncio.Event(), asyncio.Event()
        self._reach: Callable[[str], Awaitable[None]] = ctx.tenant.faults.reach
        ctx.tenant.faults.reach = self._stop  # type: ignore[method-assign] # every call

    async def _stop(self, method: str) -> None:
        if asyncio.current_task() is self._task and method == self._method:
            self._stopped.set()
            await self._again.wait()
        await self._reach(method)

    async def work(self, ctx: FakeContext, sent: Sent) -> asyncio.Task[None]:
        """Begin with a message, as far as that call."""
        self._task = asyncio.create_task(run(STEPS[sent.step], sent.body, sent.id, ctx))
        async with asyncio.timeout(10):
            await self._stopped.wait()
        return self._task

    def go_on(self) -> None:
        self._again.set()


LAG = TryLater("CONSENT_MISSING", "not listed yet", after=timedelta(seconds=10))
BROKEN = NeedsHuman("PERMISSION_MISSING", "refused", "Grant it.")


async def states(ctx: FakeContext) -> list[tuple[str, str]]:
    return [(each.state, each.step) for each in await ctx.ledger.operations(NAME)]


@pytest.mark.requirement("X-03")
@pytest.mark.parametrize("step", AT_ONCE)
@pytest.mark.parametrize("method", ["ledger.advance", "ledger.conclude"])
async def test_the_slower_one_does_not_bring_back_what_the_other_has_ended(
    step: str, method: str
) -> None:
    declare_steps()
    ctx = fake_context()
    await onboard(ctx)
    await drive(ctx, lambda sent: sent.step == step)
    (sent,) = [sent for sent in ctx.outbox.queued if sent.step == step]
    frozen = Frozen(ctx, method)
    slow = await frozen.work(ctx, sent)
    await drive(ctx)
    await assert_onboarded(ctx)
    known = await states(ctx)
    frozen.go_on()
    await slow
    assert await states(ctx) == known
    assert ctx.outbox.queued == []
    await assert_onboarded(ctx)


@pytest.mark.requirement("X-03")
@pytest.mark.parametrize("seen", [LAG, BROKEN])
async def test_what_the_slower_one_saw_is_not_the_last_word(seen: Exception) -> None:
    """It has looked, in vain, and the other one tells that all is well before it tells that."""
    declare_steps()
    ctx = fake_context()
    await onboard(ctx)
    await drive(ctx, lambda sent: sent.step == "consent")
    (sent,) = [sent for sent in ctx.outbox.queued if sent.step == "consent"]
    ctx.tenant.fail("consents.granted", seen)
    frozen = Frozen(ctx, "ledger.conclude")
    slow = await frozen.work(ctx, sent)
    await drive(ctx)
    await assert_onboarded(ctx)
    frozen.go_on()
    await slow
    assert ctx.outbox.queued == []
    await assert_onboarded(ctx)
