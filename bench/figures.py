"""A measurement is a ratio of two samples of one run, with a goal; a table shows them."""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec


class Sample(msgspec.Struct, frozen=True):
    """Raw figures of one kind, as they were taken."""

    what: str
    unit: str
    raw: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.raw)

    def __str__(self) -> str:
        return f"{number(self.median)} {self.unit}"


class Goal(msgspec.Struct, frozen=True):
    """Where the ratio should be."""

    at_most: float | None = None
    at_least: float | None = None

    def met(self, ratio: float) -> bool:
        return (self.at_most is None or ratio <= self.at_most) and (
            self.at_least is None or ratio >= self.at_least
        )

    def __str__(self) -> str:
        bounds = (("<=", self.at_most), (">=", self.at_least))
        return " ".join(f"{sign} {number(bound)}" for sign, bound in bounds if bound is not None)


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """The median of *sample* over the median of *base*."""

    name: str
    sample: Sample
    base: Sample
    goal: Goal | None = None
    details: dict[str, Any] = {}

    @property
    def ratio(self) -> float:
        return self.sample.median / self.base.median

    @property
    def verdict(self) -> str:
        if self.goal is None:
            return ""
        return "met" if self.goal.met(self.ratio) else "missed"

    def document(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "ratio": round(self.ratio, 4),
            "goal": str(self.goal) if self.goal else None,
            "met": self.goal.met(self.ratio) if self.goal else None,
            "sample": _document(self.sample),
            "base": _document(self.base),
            **({"details": self.details} if self.details else {}),
        }


def _document(sample: Sample) -> dict[str, Any]:
    return {
        "what": sample.what,
        "unit": sample.unit,
        "median": sample.median,
        "raw": list(sample.raw),
    }


def number(value: float) -> str:
    """Three digits that count, without an exponent."""
    if value == 0 or abs(value) >= 100:
        return f"{value:.0f}"
    if abs(value) >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if abs(value) >= 1 else f"{value:.3g}"


HEADINGS = ("measurement", "ratio", "goal", "", "median of", "over median of")


def table(figures: Sequence[Figure]) -> str:
    """Plain text, one line each; the raw figures are in the JSON file."""
    rows = [HEADINGS] + [
        (
            figure.name,
            number(figure.ratio),
            str(figure.goal or ""),
            figure.verdict,
            f"{figure.sample.what}: {figure.sample} (n={len(figure.sample.raw)})",
            f"{figure.base.what}: {figure.base} (n={len(figure.base.raw)})",
        )
        for figure in figures
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    ]
    return "\n".join(line.rstrip() for line in lines)


def notes(figures: Sequence[Figure]) -> str:
    """What there is to know besides the ratios, indented below each figure's name."""
    lines: list[str] = []
    for figure in figures:
        if figure.details:
            lines += ["", figure.name, *_indented(figure.details, "  ")]
    return "\n".join(lines)


def _indented(details: Mapping[str, Any], margin: str) -> Iterator[str]:
    for name, value in details.items():
        if not isinstance(value, Mapping):
            yield f"{margin}{name}: {value}"
        elif any(isinstance(inner, Mapping) for inner in value.values()):
            yield f"{margin}{name}:"
            yield from _indented(value, margin + "  ")
        else:
            yield f"{margin}{name}: " + ", ".join(f"{key} {each}" for key, each in value.items())
