"""The table of all clients that were measured."""

import statistics
from collections.abc import Mapping
from typing import Any

from bench.figures import number
from bench.scale.results import Result
from bench.scale.rounds import Report

MIB = 2**20

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
        number(statistics.median(each.seconds for each in report.rounds)),
        number(statistics.median(each.cpu for each in report.rounds)),
        *(str(one.get(name, "")) for name in ("http", "calls", "units", "most_in_flight")),
        number(one.get("body_bytes", 0) / 1e6),
        number(report.peak / MIB),
        "" if report.outcome == "finished" else report.outcome,
    )
