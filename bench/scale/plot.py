"""Time and memory against the size of the tenant, drawn as plain SVG."""

import math
import os
import statistics
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from bench.scale.results import Result
from bench.scale.rounds import Report

WIDTH, HEIGHT, MARGIN = 460, 340, 60
MIB = 2**20


class Line(NamedTuple):
    key: str
    label: str
    colour: str
    dash: str = ""


LINES = (
    Line("runs users", "Keyturn, all users, whole run", "#0b6e4f"),
    Line("runs all", "Keyturn, with groups, whole run", "#1f77b4"),
    Line("floor users", "floor: pages drained and decoded", "#888888", "4 3"),
    Line("floor all", "floor, with groups", "#bbbbbb", "4 3"),
    Line("backstage all", "Backstage, with groups", "#c0392b"),
)


def plotted(known: Mapping[int, Result], path: Path) -> bool:
    """Write the picture; not with a single size, which is no line."""
    if len(known) < 2:
        return False
    seconds = _panel(known, "seconds of one run", _seconds, at=0)
    memory = _panel(known, "peak memory, MiB", _memory, at=WIDTH + 20)
    height = HEIGHT + 24 * len(LINES) + 40
    style = "font-family:sans-serif;font-size:12px"
    legend = "".join(_legend(line, HEIGHT + 20 + 24 * at) for at, line in enumerate(LINES))
    size = f'width="{2 * WIDTH + 20}" height="{height}"'
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} style="{style}">\n'
        f'<rect width="100%" height="100%" fill="white"/>\n{seconds}{memory}{legend}'
        f'<text x="{MARGIN}" y="{height - 12}" fill="#666">{_load(known)}</text>\n</svg>\n'
    )
    return True


def _load(known: Mapping[int, Result]) -> str:
    """A machine that others use, too, has longer seconds; they are not the tenant's."""
    found = [
        f"{users:,} users: {result.load[0]:.1f}" for users, result in known.items() if result.load
    ]
    return f"load of the machine before each size ({os.cpu_count()} processors): {'; '.join(found)}"


def _seconds(report: Report) -> float:
    return statistics.median(each.seconds for each in report.rounds)


def _memory(report: Report) -> float:
    return report.peak / MIB


def _panel(
    known: Mapping[int, Result], title: str, value: Callable[[Report], float], at: int
) -> str:
    lines = {
        line: [
            (users, value(result.reports[line.key]))
            for users, result in known.items()
            if line.key in result.reports and result.reports[line.key].rounds
        ]
        for line in LINES
    }
    points = [point for found in lines.values() for point in found]
    if not points:
        return ""
    across = _Axis([x for x, _ in points], at + MARGIN, at + WIDTH - 10)
    up = _Axis([y for _, y in points], HEIGHT - 40, 30)
    parts = [f'<text x="{at + MARGIN}" y="18" font-weight="bold">{title}</text>\n']
    for tick in up.ticks:
        y = up.place(tick)
        ends = f'x1="{at + MARGIN}" x2="{at + WIDTH - 10}"'
        parts.append(f'<line {ends} y1="{y}" y2="{y}" stroke="#eee"/>\n')
        parts.append(f'<text x="{at + MARGIN - 6}" y="{y + 4}" text-anchor="end">{tick:g}</text>\n')
    for users in known:
        x = across.place(users)
        parts.append(f'<text x="{x}" y="{HEIGHT - 20}" text-anchor="middle">{users:,}</text>\n')
    parts.append(
        f'<text x="{at + WIDTH // 2}" y="{HEIGHT - 2}" text-anchor="middle">users</text>\n'
    )
    parts += [_drawn(line, found, across, up) for line, found in lines.items() if found]
    return "".join(parts)


class _Axis:
    """Logarithmic, from the power of ten below the least value to that above the greatest."""

    def __init__(self, values: Sequence[float], start: float, end: float) -> None:
        self._low = math.floor(math.log10(min(values)))
        self._high = max(math.ceil(math.log10(max(values))), self._low + 1)
        self._start, self._end = start, end
        self.ticks = [10.0**power for power in range(self._low, self._high + 1)]

    def place(self, value: float) -> float:
        share = (math.log10(value) - self._low) / (self._high - self._low)
        return round(self._start + share * (self._end - self._start), 1)


def _drawn(line: Line, found: Sequence[tuple[int, float]], across: _Axis, up: _Axis) -> str:
    points = [(across.place(x), up.place(y), y) for x, y in found]
    joined = " ".join(f"{x},{y}" for x, y, _ in points)
    dash = f' stroke-dasharray="{line.dash}"' if line.dash else ""
    marks = "".join(
        f'<circle cx="{x}" cy="{y}" r="3" fill="{line.colour}"><title>{value:.3g}</title></circle>'
        for x, y, value in points
    )
    look = f'fill="none" stroke="{line.colour}" stroke-width="2"{dash}'
    return f'<polyline points="{joined}" {look}/>{marks}\n'


def _legend(line: Line, y: int) -> str:
    dash = f' stroke-dasharray="{line.dash}"' if line.dash else ""
    look = f'stroke="{line.colour}" stroke-width="2"{dash}'
    return (
        f'<line x1="{MARGIN}" x2="{MARGIN + 30}" y1="{y}" y2="{y}" {look}/>'
        f'<text x="{MARGIN + 40}" y="{y + 4}">{line.label}</text>\n'
    )
