"""Where the wall time of an onboarding goes, from the spans that the traced host wrote."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise

import msgspec

INVOCATION = "invocation"
ORDER = ("graph", "token", "vault", "storage", "queue", "sign-in document")
"""What counts first when several things go on at once."""
BETWEEN = "between steps"
OWN = "own work"


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """Something that took time; times are seconds of one clock."""

    kind: str
    start: float
    end: float
    function: str = ""


def shares(spans: Iterable[Span], start: float, end: float) -> dict[str, float]:
    """Seconds from *start* to *end* by what went on; the shares sum up to the whole.

    Time in an invocation in which nothing is waited for is its own work; time outside of all is
    spent between steps: in the queues and in the host.
    """
    cut = [
        Span(kind=s.kind, start=max(s.start, start), end=min(s.end, end), function=s.function)
        for s in spans
        if s.end > start and s.start < end
    ]
    edges = sorted({start, end, *(s.start for s in cut), *(s.end for s in cut)})
    found: dict[str, float] = defaultdict(float)
    for left, right in pairwise(edges):
        going = {s.kind for s in cut if s.start <= left and s.end >= right}
        found[_first(going)] += right - left
    return dict(found)


def _first(going: set[str]) -> str:
    for kind in ORDER:
        if kind in going:
            return kind
    return OWN if INVOCATION in going else BETWEEN


def hops(spans: Sequence[Span], chain: Sequence[str]) -> dict[str, float]:
    """Seconds from the end of the send that asks for a step to that step's first invocation."""
    found = {}
    began: dict[str, float] = {}
    for span in sorted(spans, key=lambda span: span.start):
        if span.kind == INVOCATION:
            began.setdefault(span.function, span.start)
    for before, after in pairwise(chain):
        sends = [
            s.end
            for s in spans
            if s.kind == "queue" and s.function == before and s.end <= began.get(after, 0.0)
        ]
        if sends:
            found[after] = began[after] - max(sends)
    return found


def by_step(spans: Sequence[Span], start: float, end: float) -> dict[str, dict[str, float]]:
    """The shares of each function's invocations; several invocations are summed up."""
    found: dict[str, dict[str, float]] = {}
    for call in spans:
        if call.kind != INVOCATION or call.end <= start or call.start >= end:
            continue
        own = [s for s in spans if s.function == call.function and s.kind != INVOCATION]
        total = found.setdefault(call.function, defaultdict(float))
        for kind, seconds in shares([*own, call], call.start, call.end).items():
            total[kind] += seconds
    return {name: dict(kinds) for name, kinds in found.items()}
