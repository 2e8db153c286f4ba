"""One group that has everybody in it (DF-15): its pages are read one by one, never as a whole."""

from pathlib import Path

from bench.figures import Figure, Goal, Sample
from bench.scale import processes, results
from bench.scale.rounds import Report
from bench.scale.service import Service, opened

MEMBERS = 100_000
PROFILE, MODE = "devolutions-server", "groups"
MIB = 2**20
LIMIT = 256


async def of_one_group(folder: Path) -> list[Figure]:
    async with opened(folder, MEMBERS, 0) as service:
        await service.control(
            "tenant", groups=[{"displayName": "Everybody", "first_users": MEMBERS}]
        )
        report = await _report(service, folder)
    if not report.rounds:
        raise RuntimeError(f"a group of {MEMBERS} members: {report.outcome}")
    one = report.rounds[0]
    return [
        Figure(
            name=f"a group of {MEMBERS} members: peak memory, of {LIMIT} MiB",
            sample=Sample("Keyturn's process", "MiB", (report.peak / MIB,)),
            base=Sample("limit", "MiB", (float(LIMIT),)),
            goal=Goal(at_most=1),
            details={
                "before it read": f"{report.idle / MIB:.0f} MiB",
                "seconds": round(one.seconds, 1),
                "calls": one.used["calls"],
                "accounts": one.rows["users"],
            },
        )
    ]


async def _report(service: Service, folder: Path) -> Report:
    """Of a run whose rows are the tenant's."""
    target = await service.target(client="runs", mode=MODE, profile=PROFILE, rounds=1)
    report = await processes.client(target, folder / "runs.log")
    return results.judged("runs", "users", report, await service.truth())
