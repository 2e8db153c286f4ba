"""A process may die before or after any call; after redelivery everything is as it must be."""

import pytest

from functions import declare_steps
from shared.runtime import run
from shared.step import STEPS
from tests.fakes import FakeContext, fake_context
from tests.in_memory.campaign import chosen
from tests.in_memory.chain.world import assert_onboarded, onboard


class Killed(BaseException):
    """No handler of the product may catch the death of its process."""


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


async def calls_of_one_run() -> list[tuple[str, int]]:
    """Every call that an onboarding makes, as method and its how-manieth."""
    ctx = fake_context()
    await onboard(ctx)
    start = len(ctx.tenant.faults.calls)
    await deliver_through(ctx)
    seen: dict[str, int] = {}
    found = []
    for method in ctx.tenant.faults.calls[start:]:
        seen[method] = seen.get(method, 0) + 1
        found.append((method, seen[method]))
    return found


@pytest.mark.requirement("X-03", "X-06")
@pytest.mark.slow
@pytest.mark.parametrize("after_effect", [False, True], ids=["before", "after"])
async def test_killed_at_every_call_leaves_one_application_and_one_secret(
    *, after_effect: bool
) -> None:
    calls = await calls_of_one_run()
    assert len(calls) > 80
    for method, nth in chosen(calls, after_effect=after_effect):
        ctx = fake_context()
        await onboard(ctx)
        ctx.tenant.fail(method, Killed(), nth=nth, after_effect=after_effect)
        killed = await deliver_through(ctx)
        assert killed == 1, f"{method} #{nth} was never reached"
        try:
            await assert_onboarded(ctx)
        except AssertionError as wrong:
            raise AssertionError(f"killed at {method} #{nth}, {after_effect=}") from wrong


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
