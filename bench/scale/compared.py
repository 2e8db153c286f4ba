"""Figures: ratios of what was measured in one run."""

from collections.abc import Iterator, Mapping
from itertools import product

from bench.figures import Figure, Goal, Sample
from bench.scale.results import Result
from bench.scale.rounds import Report

MIB = 2**20
LIMIT = 256 * MIB
FLOOR_GOAL = Goal(at_most=1.5)
MODELS_GOAL = Goal(at_least=200)
AHEAD = Goal(at_least=1)
PROPORTION = Goal(at_most=2)
LINEAR = Goal(at_most=10)
LATENCIES = ("", " at 40 ms")
NONE, COUNTED, MORE = "0", "100", "1000"
"""Changes after which runs are compared."""
SPREAD = 100_000
"""Users of a tenant in which a hundred changes are in as many places: in one of ten thousand, all
rows are in some thirty blocks, and several changes are fetched with each."""


def figures(known: Mapping[int, Result]) -> Iterator[Figure]:
    for users, result in known.items():
        yield from _against_the_floor(users, result)
        yield from _against_the_keeper(users, result)
        yield from _against_backstage(users, result)
        yield from _against_cartography(users, result)
        yield from _changes(users, result)
    yield from _in_proportion(known)
    yield from _against_models(known)
    yield from _memory(known)


def _against_the_floor(users: int, result: Result) -> Iterator[Figure]:
    for mode, latency in product(("users", "all"), LATENCIES):
        floor = result.reports.get(f"floor {mode}{latency}")
        for client, what in (("reader", "read and decoded"), ("runs", "whole run")):
            ours = result.reports.get(f"{client} {mode}{latency}")
            if floor is None or ours is None or not floor.rounds or not ours.rounds:
                continue
            goal = FLOOR_GOAL if mode == "users" else None
            for measure, unit in (("seconds", "s"), ("cpu", "CPU s")):
                yield Figure(
                    name=f"{users} users, mode {mode}{latency}: {what}, {unit}",
                    sample=_sample("Keyturn", unit, ours, measure),
                    base=_sample("floor", unit, floor, measure),
                    goal=goal,
                )


def _against_the_keeper(users: int, result: Result) -> Iterator[Figure]:
    """Without a goal: it says how near the goal against the floor any client could come."""
    floor, keeper, ours = (result.reports.get(f"{c} users") for c in ("floor", "keeper", "runs"))
    if floor is None or keeper is None or ours is None:
        return
    if not (floor.rounds and keeper.rounds and ours.rounds):
        return
    for measure, unit in (("seconds", "s"), ("cpu", "CPU s")):
        base = _sample("floor that keeps", unit, keeper, measure)
        yield Figure(
            name=f"{users} users: the floor that keeps its rows, {unit}",
            sample=base,
            base=_sample("floor", unit, floor, measure),
        )
        yield Figure(
            name=f"{users} users: whole run against the floor that keeps its rows, {unit}",
            sample=_sample("Keyturn", unit, ours, measure),
            base=base,
        )


def _against_backstage(users: int, result: Result) -> Iterator[Figure]:
    for latency in LATENCIES:
        yield from _ahead(users, result, "Backstage", latency)


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


def _against_cartography(users: int, result: Result) -> Iterator[Figure]:
    """Which stores nothing, either; users, groups, owners and memberships."""
    yield from _ahead(users, result, "cartography")


def _ahead(users: int, result: Result, peer: str, latency: str = "") -> Iterator[Figure]:
    """Of a peer that stores nothing, while Keyturn does."""
    ours = result.reports.get(f"runs all{latency}")
    theirs = result.reports.get(f"{peer.lower()} all{latency}")
    if ours is None or theirs is None or not ours.rounds or not theirs.rounds:
        return
    for measure, unit in (("seconds", "s"), ("cpu", "CPU s")):
        yield Figure(
            name=f"{users} users with groups{latency}: ahead of {peer}, {unit}",
            sample=_sample(f"{peer}, storing nothing", unit, theirs, measure),
            base=_sample("Keyturn, whole run", unit, ours, measure),
            goal=AHEAD,
        )


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


COSTS = {
    "seconds": "s",
    "calls": "calls to Graph",
    "storage_requests": "requests to storage",
    "bytes_written": "bytes written",
}


def _in_proportion(known: Mapping[int, Result]) -> Iterator[Figure]:
    """What 100 changes cost in the largest tenant: against the same changes in smaller ones, and
    against ten times as many."""
    taken = {
        users: result.reports["changes"].more["changes"]
        for users, result in known.items()
        if "changes" in result.reports and result.reports["changes"].rounds
    }
    large = max(taken, default=0)
    for small in (users for users in taken if users < large):
        for cost, unit in COSTS.items():
            yield Figure(
                name=f"{COUNTED} changes in a tenant of {large} against one of {small}: {cost}",
                sample=Sample(f"{large} users", unit, (float(taken[large][COUNTED][cost]),)),
                base=Sample(f"{small} users", unit, (float(taken[small][COUNTED][cost]),)),
                goal=PROPORTION if small >= SPREAD else None,
            )
    for cost, unit in COSTS.items() if large else ():
        few, many = (_beyond(taken[large], count, cost) for count in (COUNTED, MORE))
        if few > 0:
            yield Figure(
                name=f"{large} users: {MORE} changes against {COUNTED}, "
                f"beyond a run without: {cost}",
                sample=Sample(f"{MORE} changes", unit, (many,)),
                base=Sample(f"{COUNTED} changes", unit, (few,)),
                goal=LINEAR,
            )


def _beyond(taken: Mapping[str, Mapping[str, float]], count: str, cost: str) -> float:
    return float(taken[count][cost]) - float(taken[NONE][cost])


def _sample(what: str, unit: str, report: Report, measure: str) -> Sample:
    return Sample(what, unit, tuple(getattr(each, measure) for each in report.rounds))


def _rates(report: Report, *kinds: str) -> tuple[float, ...]:
    return tuple(sum(each.rows[k] for k in kinds) / each.seconds for each in report.rounds)
