"""Graph's documented limits for a large tenant: how much of them is used, and how much refused."""

from pathlib import Path

from bench.figures import Figure, Goal, Sample
from bench.scale import processes
from bench.scale.service import opened

USERS, GROUPS = 10_000, 8_000
"""So many groups that the quota of resource units is what limits a run that reads each of them."""
PROFILE, MODE = "devolutions-server", "groups"
SLICE = 10.0
"""Seconds: a run of half a minute is cut into several, as a longer one is in a function."""


async def under_the_limit(folder: Path) -> list[Figure]:
    async with opened(folder, USERS, GROUPS) as service:
        target = await service.target(client="throttled", mode=MODE, profile=PROFILE, slice=SLICE)
        report = await processes.client(target, folder / "throttled.log")
    more = report.more
    return [
        Figure(
            name="rate under Graph's limits for a large tenant",
            sample=Sample("resource units used", "RU/s", (more["units a second"],)),
            base=Sample("allowed", "RU/s", (more["allowed a second"],)),
            goal=Goal(at_least=0.85),
            details=more | {"members of": f"{GROUPS} groups"},
        ),
        Figure(
            name="calls answered 429 under these limits",
            sample=Sample("throttled", "calls", (float(more["throttled"]),)),
            base=Sample("all", "calls", (float(more["calls"]),)),
            goal=Goal(at_most=0.01),
        ),
    ]
