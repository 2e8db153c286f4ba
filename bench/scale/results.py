"""What was measured, kept for each size: a bench that is run in pieces still has its plot."""

import os
from pathlib import Path
from typing import Any

import msgspec

from bench.scale.rounds import Report

FOLDER = Path("build/scale")
OWN = ("floor", "runs")
"""Clients that tell digests of what they found."""


class Result(msgspec.Struct, kw_only=True):
    """One size of tenant."""

    users: int
    groups: int
    truth: dict[str, Any] = {}
    load: tuple[float, ...] = ()
    """Of the machine before it began: a busy one is slower."""
    reports: dict[str, Report] = {}

    def keep(self) -> None:
        FOLDER.mkdir(parents=True, exist_ok=True)
        path = FOLDER / f"{self.users}.json"
        path.write_bytes(msgspec.json.format(msgspec.json.encode(self), indent=1))


def begun(users: int, groups: int) -> Result:
    return Result(users=users, groups=groups, load=os.getloadavg())


def known() -> dict[int, Result]:
    """By size, the smallest first."""
    found = {}
    for path in FOLDER.glob("*.json"):
        if path.stem.isdigit():
            found[int(path.stem)] = msgspec.json.decode(path.read_bytes(), type=Result)
    return dict(sorted(found.items()))


def judged(client: str, mode: str, report: Report, truth: dict[str, Any]) -> Report:
    """A run with wrong rows has no time."""
    if not report.rounds:
        return report
    wrong = ""
    counts = {name: truth[name]["count"] for name in ("users", "memberships")}
    if client in OWN:
        wanted = ("users", "memberships") if mode == "all" else ("users",)
        wrong = next((name for name in wanted if report.found.get(name) != truth[name]), "")
    elif client == "backstage":  # it drops whoever is disabled
        wrong = "" if report.found["users"]["ids"] == truth["enabled"]["ids"] else "users"
    elif client == "cartography":
        same = report.found["users"]["ids"] == truth["everyone"]["ids"]
        links = report.rounds[0].rows["memberships"] == counts["memberships"]
        wrong = "users" if not same else "" if links else "memberships"
    elif client in ("reader", "keeper") and report.rounds[0].rows.get("users") != counts["users"]:
        wrong = "users"
    if not wrong:
        return report
    return msgspec.structs.replace(report, rounds=(), outcome=f"wrong rows: {wrong}")
