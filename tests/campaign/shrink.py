"""The shortest replay of a seed that failed: as few faults and acts as still break something."""

import time
from dataclasses import replace

from tests.campaign.simulation import Outcome, simulate
from tests.campaign.world import Options

PATIENCE = 120.0
"""Seconds."""


def shrink(failed: Outcome, options: Options, patience: float = PATIENCE) -> list[str]:
    """The events of a seed that are enough for a breach, found by leaving out halves of them."""
    end = time.monotonic() + patience
    keep = list(dict.fromkeys(failed.struck))
    size = max(len(keep) // 2, 1)
    while time.monotonic() < end:
        smaller = _without_some(failed.seed, keep, size, options, end)
        if smaller is not None:
            keep = smaller
        elif size == 1:
            break
        else:
            size = max(size // 2, 1)
        size = min(size, max(len(keep) // 2, 1))
    return keep


def _without_some(
    seed: int, keep: list[str], size: int, options: Options, end: float
) -> list[str] | None:
    for start in range(0, len(keep), size):
        if time.monotonic() > end:
            return None
        fewer = keep[:start] + keep[start + size :]
        outcome = simulate(seed, replace(options, only=frozenset(fewer)))
        if outcome.breaches:
            happened = set(outcome.struck)
            return [event for event in fewer if event in happened]
    return None
