"""Ways in which Graph is unwell, and what becomes of each client's run."""

import sys
from pathlib import Path
from typing import Any

from bench.figures import Figure, Goal, Sample
from bench.scale import opponents, results
from bench.scale.faults import OWN, SHARED
from bench.scale.rounds import Report
from bench.scale.service import Service, opened

LARGE = 30_000, 600
"""For Keyturn, which needs few requests: every 25th would otherwise never come."""
USUAL = 3000, 60
SMALL = 600, 12
"""For cartography, which reads some forty users a second; more than a page of them."""
CLIENTS = {"keyturn": LARGE, "backstage": USUAL, "cartography": SMALL}
HONEST = ("complete", "partial, and says so")
SLICE = 1.0
"""Seconds: each run is cut into several slices, and goes on from what one of them stored."""
PACE = 0.02
"""Of the waits between attempts: some faults last until a run gives up, which is after half an hour
of them, and what is judged is how it ends."""


async def robustness(folder: Path) -> list[Figure]:
    """Complete: what is stored or returned equals the tenant."""
    table: dict[str, str] = {}
    for client, size in CLIENTS.items():
        cases = (*SHARED, *OWN) if client == "keyturn" else tuple(SHARED)
        async with opened(folder / client, *size) as service:
            for case in cases:
                outcome = await _outcome(service, client, case, folder)
                table[f"{client}, {case}"] = outcome
                print(f"{client}, {case}: {outcome}", file=sys.stderr)  # noqa: T201 - it is watched
    ours = {case: table[f"keyturn, {case}"] for case in (*SHARED, *OWN)}
    met = {case: said for case, said in ours.items() if not said.startswith("not exercised")}
    shared = [said.startswith("complete") for case, said in met.items() if case in SHARED]
    honest = [said.startswith(HONEST) for said in met.values()]
    return [
        _figure("complete runs in the two cases of the notes", shared, table),
        _figure("runs complete or honestly partial, nothing removed falsely", honest),
    ]


def _figure(name: str, passed: list[bool], details: dict[str, Any] | None = None) -> Figure:
    return Figure(
        name=name,
        sample=Sample("Keyturn's", "cases", (float(sum(passed)),)),
        base=Sample("all", "cases", (float(len(passed)),)),
        goal=Goal(at_least=1),
        details=details or {},
    )


async def _outcome(service: Service, client: str, case: str, folder: Path) -> str:
    from bench.scale.runs import one, truth

    known = await truth(service)
    name = "faulty" if client == "keyturn" else client
    more: dict[str, Any] = {"client": name, "case": case, "mode": "all", "rounds": 0}
    more |= {"slice": SLICE, "pace": PACE}
    if client in opponents.INSTALLS:
        more |= {"fault": SHARED[case].fault}
    try:
        report = await one(name, await service.target(**more), folder)
    finally:
        await service.heal()
    return _said(client, report, known)


def _said(client: str, report: Report, truth: dict[str, Any]) -> str:
    if report.outcome.startswith(("aborted", "skipped", "failed:")):
        return report.outcome
    if not report.more["hits"]:
        return "not exercised: it makes no such request"
    if client == "keyturn":
        return _ours(report, truth)
    wanted = truth["enabled" if client == "backstage" else "everyone"]["ids"]
    return "complete" if report.found["users"]["ids"] == wanted else "silently partial"


def _ours(report: Report, truth: dict[str, Any]) -> str:
    """A snapshot that was there before a fault is what the tenant has: it must stay so."""
    right = results.judged("runs", "all", report, truth).rounds != ()
    told = f"{report.rounds[0].seconds:.1f} s, {report.more['slices']} slices"
    if report.more["removed"]:
        return f"removed {report.more['removed']} that are there"
    if report.outcome == "succeeded":
        return f"complete, {told}" if right else f"wrong rows, told as complete, {told}"
    if report.more["second"] and not right:
        return f"lost rows that are there, {told}"
    why = f"{report.outcome}: {report.more['why']}" if report.more["why"] else report.outcome
    return f"partial, and says so ({why[:120]}), {told}"
