"""The way out: spans and measurements go to the recorder that bootstrap installs, if any.

Without one all of this does next to nothing. What is not listed in this package goes nowhere.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol, Self

Value = str | int | float | bool
Attributes = Mapping[str, Value]
Rows = Sequence[tuple[float, Attributes]]


class Span(Protocol):
    """One piece of work while it goes on."""

    @property
    def trace(self) -> str:
        """Its W3C ``traceparent``; empty when nothing is recorded."""

    def set(self, attributes: Attributes) -> None:
        """Add what is only known in the course of it, or at its end."""

    def fail(self, why: str) -> None:
        """It did not do what it is for; *why* is a code or the name of a class."""


class Recorder(Protocol):
    """Implemented over OpenTelemetry's SDK in `shared.adapters.opentelemetry_recorder`."""

    def span(
        self, kind: str, about: str, attributes: Attributes, *, parent: str, fresh: bool
    ) -> AbstractContextManager[Span]:
        """A span of a kind in `SPANS`, below the trace *parent* or else the present span.

        A *fresh* one begins a trace of its own, linked to the present span.
        """

    def present(self) -> Span | None:
        """The innermost span of this task."""

    def add(self, metric: str, amount: float, attributes: Attributes) -> None:
        """Count up."""

    def measure(self, metric: str, value: float, attributes: Attributes) -> None:
        """One value of a histogram."""

    def show(self, metric: str, rows: Rows) -> None:
        """What a gauge shows from now on; what it showed before is gone."""


class Nothing:
    """A span while nobody records."""

    trace = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...
    def set(self, attributes: Attributes) -> None: ...
    def fail(self, why: str) -> None: ...


NOTHING = Nothing()

_recorder: Recorder | None = None


def install(recorder: Recorder | None) -> Recorder | None:
    """Record from now on, or no longer; answers who did before."""
    global _recorder
    before, _recorder = _recorder, recorder
    return before


def recording() -> bool:
    """Whether anybody does; for what would cost something to find out."""
    return _recorder is not None


def span(
    kind: str,
    about: str = "",
    attributes: Attributes | None = None,
    *,
    parent: str = "",
    fresh: bool = False,
) -> AbstractContextManager[Span]:
    """A span while the block runs, see `Recorder.span`."""
    if _recorder is None:
        return NOTHING
    return _recorder.span(kind, about, attributes or {}, parent=parent, fresh=fresh)


def present() -> Span:
    """The innermost span of this task, to add to what it says."""
    return (_recorder.present() if _recorder else None) or NOTHING


def add(metric: str, amount: float = 1, **attributes: Value) -> None:
    """Count up a counter of `METRICS`."""
    if _recorder is not None:
        _recorder.add(metric, amount, attributes)


def measure(metric: str, value: float, **attributes: Value) -> None:
    """Take one value of a histogram of `METRICS`."""
    if _recorder is not None:
        _recorder.measure(metric, value, attributes)


def show(metric: str, rows: Rows) -> None:
    """Let a gauge of `METRICS` show these values and no others."""
    if _recorder is not None:
        _recorder.show(metric, rows)
