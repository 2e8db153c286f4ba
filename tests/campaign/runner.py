"""Runs many seeds on all processors, and adds up what happened."""

import gc
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from multiprocessing import get_context

from tests.campaign.chaos import Aim, Counts, Point
from tests.campaign.simulation import Outcome, simulate
from tests.campaign.world import Options

SURVEYED = 40
"""Seeds that are run without faults to learn which crash points there are."""

TARGETS = 6
"""Crash points that each seed is told to hit, beside those that it hits by chance."""


@dataclass
class Total:
    """What many seeds came to."""

    seeds: int = 0
    days: float = 0.0
    connections: int = 0
    rotations: int = 0
    deaths: int = 0
    seconds: float = 0.0
    counts: Counts = field(default_factory=Counts)
    failed: list[Outcome] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        self.seeds += 1
        self.days += outcome.days * outcome.connections
        self.connections += outcome.connections
        self.rotations += outcome.rotations
        self.deaths += outcome.deaths
        self.counts.add(outcome.counts)
        if outcome.breaches:
            self.failed.append(outcome)

    def never_hit(self, points: Iterable[Point]) -> list[Point]:
        """Crash points of the survey at which no process has died."""
        return sorted(point for point in points if not self.counts.kills[point])


def survey(jobs: int) -> dict[Point, int]:
    """Every crash point, before and after each call of some step, and a seed that has it."""
    found: dict[Point, int] = {}
    for outcome in _each(jobs, [(seed, Options(gentle=True)) for seed in range(SURVEYED)]):
        for call in outcome.counts.calls:
            for when in ("before", "after"):
                point = (*call, when)
                found[point] = min(outcome.seed, found.get(point, outcome.seed))
    return dict(sorted(found.items()))


def campaign(
    seeds: Sequence[int],
    *,
    jobs: int = 0,
    points: Mapping[Point, int] | None = None,
    stop_at: int = 0,
    tell: Callable[[Total, Outcome], None] = lambda total, outcome: None,
) -> Total:
    """Run all seeds, then whatever of *points* none of them has hit, in the seed that has it.

    *stop_at* breaches of different seeds are enough, 0 for all. *tell* is called after each run.
    """
    started, total, known = time.perf_counter(), Total(), points or {}

    def took(outcome: Outcome) -> None:
        total.add(outcome)
        total.seconds = time.perf_counter() - started
        tell(total, outcome)

    work = [(seed, Options(targets=_targets(seed, list(known)))) for seed in seeds]
    for outcome in _each(jobs, work):
        took(outcome)
        if stop_at and len(total.failed) >= stop_at:
            break
    else:
        aimed = [
            (known[point], Options(gentle=True, aims=[Aim(*point)]))
            for point in total.never_hit(known)
        ]
        for outcome in _each(jobs, aimed):
            took(outcome)
    return total


def _targets(seed: int, points: Sequence[Point]) -> tuple[Point, ...]:
    if not points:
        return ()
    return tuple(points[(seed * TARGETS + n) % len(points)] for n in range(TARGETS))


def _each(jobs: int, work: Sequence[tuple[int, Options]]) -> Iterator[Outcome]:
    jobs = jobs or os.cpu_count() or 1
    if jobs == 1 or len(work) == 1:
        yield from map(_one, work)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("fork")) as pool:
        running = {pool.submit(_one, each) for each in work}
        try:
            for done in as_completed(running):
                yield done.result()
        finally:
            pool.shutdown(cancel_futures=True)  # waits: unjoined, its thread fails at the exit


def _one(task: tuple[int, Options]) -> Outcome:
    seed, options = task
    gc.set_threshold(100_000, 50, 50)  # a world is garbage as a whole, at its end
    outcome = simulate(seed, options)
    if not outcome.breaches:
        outcome.struck = []  # needed for a replay only
    return outcome
