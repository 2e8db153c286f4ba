"""Faults, deaths, lost, repeated and reordered messages, by chance: the chain still converges."""

import random
from collections import Counter

import pytest

from functions import declare_steps
from functions.sweeps import sweep
from shared import burial, runtime
from shared.errors import TryLater
from shared.operations import RESUME
from shared.step import STEPS
from tests.fakes import FakeContext, fake_context
from tests.fakes.drive import drive
from tests.fakes.faults import Fault
from tests.fakes.outbox import Sent
from tests.in_memory.chain.world import NAME, assert_onboarded, onboard

DELIVERIES = 5
TURNS = 3000


class Killed(BaseException):
    """The death of a process: no handler may catch it."""


def is_expected(error: BaseException) -> bool:
    if isinstance(error, BaseExceptionGroup):
        return all(map(is_expected, error.exceptions))
    return isinstance(error, Killed | TryLater)


class Disorder:
    """A world in which everything goes wrong with a probability of *rate*."""

    def __init__(self, seed: int, rate: float) -> None:
        self.chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
        self.rate = rate
        self.ctx = fake_context()
        self.ctx.tenant.lag = self.chance.choice([0, 0, 1, 2])
        self.ctx.tenant.token_lag = self.chance.choice([0, 1, 3])
        self.failed: Counter[str] = Counter()
        self.calm = False
        self._take = self.ctx.tenant.faults.take
        self.ctx.tenant.faults.take = self._fault  # type: ignore[method-assign] # every call

    def happens(self, rate: float) -> bool:
        return not self.calm and self.chance.random() < rate

    def _fault(self, method: str) -> Fault | None:
        arranged = self._take(method)
        if arranged is not None or not self.happens(self.rate):
            return arranged
        error = self.chance.choice([TryLater("GRAPH_UNAVAILABLE", "HTTP 503"), Killed()])
        return Fault(error, times=1, after_effect=self.chance.random() < 0.5, nth=1)

    async def request(self) -> None:
        """As a client does: again until it is accepted."""
        while True:
            try:
                await onboard(self.ctx)
            except (TryLater, Killed):
                self.ctx.clock.advance(seconds=5)
            else:
                return

    async def deliver(self) -> None:
        """One of the messages that are due, in any order; it may be lost, or come again."""
        queued, clock = self.ctx.outbox.queued, self.ctx.clock
        clock.reach(min(sent.at for sent in queued))
        sent = self.chance.choice([sent for sent in queued if sent.at <= clock.now()])
        queued.remove(sent)
        if self.happens(self.rate / 2):
            return
        if self.happens(self.rate):
            queued.append(sent)
        try:
            await runtime.run(STEPS[sent.step], sent.body, sent.id, self.ctx)
        except BaseException as error:
            if not is_expected(error):
                raise
            self.failed[sent.id] += 1
            if self.failed[sent.id] < DELIVERIES:
                queued.append(sent)
            else:
                await self.bury(sent)

    async def bury(self, sent: Sent) -> None:
        """The dead-letter queue delivers until its watcher has recorded the message."""
        while True:
            try:
                await burial.bury(STEPS[sent.step], sent.body, sent.id, burial.GIVEN_UP, self.ctx)
            except (TryLater, Killed):
                continue
            return

    async def sweep(self, kind: str) -> None:
        try:
            await sweep(self.ctx, kind)
        except (TryLater, Killed):
            return  # the next one comes in five minutes

    async def to_the_end(self) -> None:
        swept = self.ctx.clock.now()
        for _ in range(TURNS):
            if (self.ctx.clock.now() - swept).total_seconds() >= 300:
                swept = self.ctx.clock.now()
                await self.sweep(RESUME)
            if self.ctx.outbox.queued:
                await self.deliver()
            elif await is_over(self):
                return
            else:
                self.ctx.clock.advance(minutes=5)
        raise AssertionError("the operation never ended")


async def is_over(world: Disorder) -> bool:
    world.calm = True
    found = await world.ctx.ledger.connection(NAME)
    operation = await world.ctx.ledger.operation(NAME, found.operation) if found else None
    world.calm = False
    return operation is not None and operation.state != "running"


async def settle(ctx: FakeContext) -> None:
    """What is left of the trouble: a repeated request, and the sweeps of some days."""
    ctx.tenant.lag = 0
    await drive(ctx)
    await onboard(ctx)
    await drive(ctx)
    for _ in range(10):
        ctx.clock.advance(days=1)
        for kind in (RESUME, "retire"):
            await sweep(ctx, kind)
            await drive(ctx)


@pytest.mark.requirement("X-03")
@pytest.mark.slow
@pytest.mark.parametrize("rate", [0.01, 0.03, 0.08])
@pytest.mark.parametrize("seed", range(15))
async def test_the_chain_converges(seed: int, rate: float) -> None:
    declare_steps()
    world = Disorder(seed, rate)
    await world.request()
    await world.to_the_end()
    world.calm = True
    await settle(world.ctx)
    await assert_onboarded(world.ctx)
