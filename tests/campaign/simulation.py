"""One seed: some months of a few connections, with everything that may go wrong."""

import asyncio
import logging
import random
import uuid
from dataclasses import dataclass
from unittest import mock

from functions import declare_steps
from tests.campaign import course
from tests.campaign.chaos import Counts
from tests.campaign.loop import VirtualLoop
from tests.campaign.processes import CURRENT
from tests.campaign.products import profiles
from tests.campaign.timers import DAY
from tests.campaign.world import Options, World


@dataclass
class Outcome:
    """What became of one seed."""

    seed: int
    breaches: list[str]
    struck: list[str]
    counts: Counts
    days: float = 0.0
    rotations: int = 0
    deaths: int = 0
    connections: int = 0


def simulate(seed: int, options: Options | None = None) -> Outcome:
    """Run one seed to its end; the same seed and options always do the same."""
    return simulated(seed, options)[1]


def simulated(seed: int, options: Options | None = None) -> tuple[World, Outcome]:
    """The same, with the world as it is then."""
    declare_steps()
    log = logging.getLogger("keyturn")
    level = log.level
    log.setLevel(logging.CRITICAL + 1)
    try:
        return _repeatable(seed, options or Options())
    finally:
        log.setLevel(level)


def _repeatable(seed: int, options: Options) -> tuple[World, Outcome]:
    """Ids and values come from the seed, too."""
    loop = VirtualLoop()
    loop.set_exception_handler(lambda *_: None)
    numbers = random.Random(f"ids {seed}")

    def number(bits: int) -> int:
        return numbers.getrandbits(bits)

    def new_id() -> uuid.UUID:
        return uuid.UUID(int=number(128), version=4)

    def value(size: int) -> str:
        return f"{number(8 * size):x}"

    with (
        mock.patch("uuid.uuid4", new=new_id),
        mock.patch("tests.fakes.tenant.secrets.token_urlsafe", new=value),
    ):
        return _run(seed, options, loop)


def _run(seed: int, options: Options, loop: VirtualLoop) -> tuple[World, Outcome]:
    asyncio.set_event_loop(loop)
    CURRENT.set(None)
    try:
        world = World(seed, options, loop)
        with profiles(world.variant):
            loop.run_until_complete(course.run(world))
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        asyncio.set_event_loop(None)
        loop.close()
    return world, Outcome(
        seed=seed,
        breaches=world.breaches,
        struck=world.chaos.struck,
        counts=world.chaos.counts,
        days=loop.time() / DAY,
        rotations=sum(len(p) - 1 for p in world.watch.published.values()),
        deaths=world.fleet.deaths,
        connections=len(world.names),
    )
