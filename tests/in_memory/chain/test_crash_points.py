"""A process may die before or after any call; after redelivery everything is as it must be."""

import pytest

from functions import declare_steps
from shared.runtime import run
from shared.step import STEPS
from tests.fakes import FakeContext, fake_context
from tests.in_memory.campaign import STRIDE, Killed, killed_at_every_call
from tests.in_memory.chain.world import assert_onboarded, onboard

DELIVERIES = 300


def is_kill(death: BaseException) -> bool:
    """Tasks that run side by side die in a group."""
    inner = death.exceptions if isinstance(death, BaseExceptionGroup) else (death,)
    return all(isinstance(one, Killed) for one in inner)


async def deliver_through(ctx: FakeContext) -> int:
    """Deliver everything; a killed delivery comes again, as a peek-locked message does."""
    declare_steps()
    killed = 0
    for _ in range(DELIVERIES):
        sent = ctx.outbox.take()
        if sent is None:
            return killed
        ctx.clock.reach(sent.at)
        try:
            await run(STEPS[sent.step], sent.body, sent.id, ctx)
        except BaseException as death:
            if not is_kill(death):
                raise
            killed += 1
            ctx.outbox.queued.insert(0, sent)
    raise AssertionError("no end")


async def requested() -> FakeContext:
    ctx = fake_context()
    await onboard(ctx)
    return ctx


@pytest.mark.requirement("X-03", "X-06")
@pytest.mark.slow
@pytest.mark.parametrize("after_effect", [False, True], ids=["before", "after"])
async def test_killed_at_every_call_leaves_one_application_and_one_secret(
    *, after_effect: bool
) -> None:
    tried = await killed_at_every_call(
        requested, deliver_through, assert_onboarded, after_effect=after_effect
    )
    assert tried.deaths == tried.calls > 80 / STRIDE


@pytest.mark.requirement("X-03")
async def test_every_message_delivered_twice_changes_nothing() -> None:
    ctx = fake_context()
    await onboard(ctx)
    declare_steps()
    while (sent := ctx.outbox.take()) is not None:
        ctx.clock.reach(sent.at)
        await run(STEPS[sent.step], sent.body, sent.id, ctx)
        await run(STEPS[sent.step], sent.body, sent.id, ctx)
    await assert_onboarded(ctx)
