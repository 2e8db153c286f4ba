"""Two ways in which Graph is unwell, and what becomes of each client's run."""

from pathlib import Path
from typing import Any

from bench.figures import Figure, Goal, Sample
from bench.scale import opponents, results
from bench.scale.faults import CASES
from bench.scale.rounds import Report
from bench.scale.service import Service, opened

USERS, GROUPS = 3000, 60
CLIENTS = ("keyturn", "backstage", "cartography")
SMALL = 300
"""Users for cartography, which reads some forty a second; more than a page of them."""


async def robustness(folder: Path) -> list[Figure]:
    """Complete: what is stored or returned equals the tenant."""
    table: dict[str, dict[str, str]] = {}
    for client in CLIENTS:
        for case in CASES:
            size = (USERS, GROUPS) if client != "cartography" else (SMALL, 6)
            async with opened(folder / client, *size) as service:
                table.setdefault(client, {})[case] = await _outcome(service, client, case, folder)
    complete = [text.startswith("complete") for text in table["keyturn"].values()]
    return [
        Figure(
            name="runs that end complete although Graph is unwell",
            sample=Sample("Keyturn's", "cases", (float(sum(complete)),)),
            base=Sample("all", "cases", (float(len(complete)),)),
            goal=Goal(at_least=1),
            details=table,
        )
    ]


async def _outcome(service: Service, client: str, case: str, folder: Path) -> str:
    from bench.scale.runs import one, truth

    known = await truth(service)
    name = "faulty" if client == "keyturn" else client
    more: dict[str, Any] = {"client": name, "case": case, "mode": "all", "rounds": 0}
    if client in opponents.INSTALLS:
        more |= {"fault": CASES[case]}
    report = await one(name, await service.target(**more), folder)
    return _said(client, report, known)


def _said(client: str, report: Report, truth: dict[str, Any]) -> str:
    if report.outcome.startswith(("aborted", "skipped", "failed")):
        return report.outcome
    if client == "keyturn":
        right = results.judged("runs", "all", report, truth).rounds != ()
        seconds = f"{report.rounds[0].seconds:.1f} s"
        if report.outcome == "succeeded":
            return f"complete, {seconds}" if right else "wrong rows, told as complete"
        return f"{report.outcome}, honestly told, {seconds}"
    wanted = truth["enabled" if client == "backstage" else "everyone"]["ids"]
    return "complete" if report.found["users"]["ids"] == wanted else "silently partial"
