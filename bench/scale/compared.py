"""Figures and the table: ratios of what was measured in one run."""

from collections.abc import Iterator, Mapping
from typing import Any

from bench.figures import Figure, Goal, Sample, number
from bench.scale.results import Result
from bench.scale.rounds import Report

MIB = 2**20
LIMIT = 256 * MIB
FLOOR_GOAL = Goal(at_most=1.5)
MODELS_GOAL = Goal(at_least=200)
AHEAD = Goal(at_least=1)


def figures(known: Mapping[int, Result]) -> Iterator[Figure]:
    for users, result in known.items():
        yield from _against_the_floor(users, result)
        yield from _against_backstage(users, result)
        yield from _changes(users, result)
    yield from _against_models(known)
    yield from _memory(known)


def _against_the_floor(users: int, result: Result) -> Iterator[Figure]:
    for mode in ("users", "all"):
        floor = result.reports.get(f"floor {mode}")
        for client, what in (("reader", "read and decoded"), ("runs", "whole run")):
            ours = result.reports.get(f"{client} {mode}")
            if floor is None or ours is None or not floor.rounds or not ours.rounds:
                continue
            goal = FLOOR_GOAL if mode == "users" else None
            for measure, unit in (("seconds", "s"), ("cpu", "CPU s")):
                yield Figure(
                    name=f"{users} users, mode {mode}: {what}, {unit}",
                    sample=_sample("Keyturn", unit, ours, measure),
                    base=_sample("floor", unit, floor, measure),
                    goal=goal,
                )


def _against_backstage(users: int, result: Result) -> Iterator[Figure]:
    for latency in ("", " at 40 ms"):
        ours = result.reports.get(f"runs all{latency}")
        theirs = result.reports.get(f"backstage all{latency}")
        if ours is None or theirs is None or not ours.rounds or not theirs.rounds:
            continue
        for measure, unit in (("seconds", "s"), ("cpu", "CPU s")):
            yield Figure(
                name=f"{users} users with groups{latency}: ahead of Backstage, {unit}",
                sample=_sample("Backstage, storing nothing", unit, theirs, measure),
                base=_sample("Keyturn, whole run", unit, ours, measure),
                goal=AHEAD,
            )


def _against_models(known: Mapping[int, Result]) -> Iterator[Figure]:
    base = next(
        (r.reports["models users"] for r in known.values() if "models users" in r.reports), None
    )
    for users, result in known.items():
        ours = result.reports.get("runs users")
        if base is None or ours is None or not base.rounds or not ours.rounds:
            continue
        yield Figure(
            name=f"{users} users: whole run against the SDK's models",
            sample=Sample("Keyturn", "users/s", _rates(ours, "users")),
            base=Sample("models, on a sample", "users/s", _rates(base, "users")),
            goal=MODELS_GOAL,
        )


def against_cartography(ours: Report, theirs: Report) -> list[Figure]:
    """Rates of users and memberships together, in a reduced tenant."""
    if not theirs.rounds or not ours.rounds:
        return []
    return [
        Figure(
            name=f"{theirs.rounds[0].rows['users']} users with groups: against cartography",
            sample=Sample("Keyturn, whole run", "rows/s", _rates(ours, "users", "memberships")),
            base=Sample("cartography", "rows/s", _rates(theirs, "users", "memberships")),
            goal=AHEAD,
        )
    ]


def _memory(known: Mapping[int, Result]) -> Iterator[Figure]:
    peaks = {
        users: float(max(r.peak for name, r in result.reports.items() if name.startswith("runs ")))
        for users, result in known.items()
        if any(name.startswith("runs ") and r.rounds for name, r in result.reports.items())
    }
    if not peaks:
        return
    largest = max(peaks)
    yield Figure(
        name=f"peak memory at {largest} accounts, of 256 MiB",
        sample=Sample("Keyturn's process", "MiB", (peaks[largest] / MIB,)),
        base=Sample("limit", "MiB", (LIMIT / MIB,)),
        goal=Goal(at_most=1),
        details={str(users): f"{peak / MIB:.0f} MiB" for users, peak in peaks.items()},
    )
    if largest > 100_000 and 100_000 in peaks:
        yield Figure(
            name=f"memory is flat: {largest} accounts against 100000",
            sample=Sample(f"{largest}", "MiB", (peaks[largest] / MIB,)),
            base=Sample("100000", "MiB", (peaks[100_000] / MIB,)),
            goal=Goal(at_most=1.15),
        )


def _changes(users: int, result: Result) -> Iterator[Figure]:
    report = result.reports.get("changes")
    if report is None or not report.rounds:
        return
    rows = report.more["changes"]
    first = report.more["first"]
    yield Figure(
        name=f"{users} users: a run after 100 changes",
        sample=Sample("after 100 changes", "s", (rows["100"]["seconds"],)),
        base=Sample("the first run", "s", (first,)),
        details={f"{count} changes": row for count, row in rows.items()},
    )


def _sample(what: str, unit: str, report: Report, measure: str) -> Sample:
    return Sample(what, unit, tuple(getattr(each, measure) for each in report.rounds))


def _rates(report: Report, *kinds: str) -> tuple[float, ...]:
    return tuple(sum(each.rows[k] for k in kinds) / each.seconds for each in report.rounds)


HEADINGS = (
    "users",
    "client",
    "s",
    "CPU s",
    "HTTP",
    "calls",
    "RU",
    "in flight",
    "MB read",
    "peak MiB",
    "",
)


def table(known: Mapping[int, Result]) -> str:
    """Medians; the server is Keyturn's own emulator, and at 0 ms it is what limits all of them."""
    rows: list[tuple[str, ...]] = [HEADINGS]
    for users, result in known.items():
        for name, report in result.reports.items():
            if name != "changes":
                rows.append((str(users), name, *_cells(report)))
    widths = [max(len(row[at]) for row in rows) for at in range(len(HEADINGS))]
    lines = ("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def _cells(report: Report) -> tuple[str, ...]:
    if not report.rounds:
        return ("", "", "", "", "", "", "", "", report.outcome)
    one: dict[str, Any] = report.rounds[-1].used
    return (
        number(_sample("", "", report, "seconds").median),
        number(_sample("", "", report, "cpu").median),
        *(str(one.get(name, "")) for name in ("http", "calls", "units", "most_in_flight")),
        number(one.get("body_bytes", 0) / 1e6),
        number(report.peak / MIB),
        "" if report.outcome == "finished" else report.outcome,
    )
