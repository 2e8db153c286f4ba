"""Spans and measurements over OpenTelemetry's SDK. Implements ``telemetry.recorder.Recorder``.

Its providers are not the process's global ones: the SDKs that we use would write spans of their
own to those, with whole addresses in them.
"""

import logging
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from opentelemetry import context as contexts
from opentelemetry import trace
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.context import Context
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
)

from shared.telemetry.metric_names import METRICS
from shared.telemetry.recorder import Attributes, Rows, Value
from shared.telemetry.scrubbing import scrubbed
from shared.telemetry.span_names import SPANS

if TYPE_CHECKING:
    from opentelemetry._logs import LoggerProvider
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

NAME = "keyturn"

FRESH = 2 * 3600.0
"""Seconds for which a gauge shows what was last seen: the next look may be another process's."""

SEVERITIES = {
    logging.DEBUG: SeverityNumber.DEBUG,
    logging.INFO: SeverityNumber.INFO,
    logging.WARNING: SeverityNumber.WARN,
    logging.ERROR: SeverityNumber.ERROR,
}

KIND = "keyturn.span.kind"
"""Key of the context under which the present span's kind is."""


class OpenSpan:
    """A span that goes on; it takes the attributes that its kind may have."""

    def __init__(self, kind: str, span: trace.Span) -> None:
        self._kind, self._span = kind, span

    @property
    def trace(self) -> str:
        known = self._span.get_span_context()
        return f"00-{known.trace_id:032x}-{known.span_id:016x}-{known.trace_flags:02x}"

    def set(self, attributes: Attributes) -> None:
        self._span.set_attributes(_listed(attributes, SPANS[self._kind].attributes))

    def fail(self, why: str) -> None:
        self._span.set_status(StatusCode.ERROR, scrubbed(why))


class OpenTelemetryRecorder:
    """Writes to the given providers whatever is listed in `shared.telemetry`, and nothing else."""

    def __init__(self, tracers: "TracerProvider", meters: "MeterProvider") -> None:
        self._tracer = tracers.get_tracer(NAME)
        self._shown: dict[str, tuple[float, Rows]] = {}
        meter = meters.get_meter(NAME)
        self._counters, self._histograms = {}, {}
        for name, metric in METRICS.items():
            if metric.kind == "counter":
                self._counters[name] = meter.create_counter(name, metric.unit, metric.about)
            elif metric.kind == "histogram":
                self._histograms[name] = meter.create_histogram(name, metric.unit, metric.about)
            else:
                look = [self._look(name)]
                meter.create_observable_gauge(name, look, metric.unit, metric.about)

    @contextmanager
    def span(
        self, kind: str, about: str, attributes: Attributes, *, parent: str, fresh: bool
    ) -> Iterator[OpenSpan]:
        declared = SPANS[kind]
        context, links = _below(parent, fresh=fresh)
        with self._tracer.start_as_current_span(
            f"{kind} {about}".rstrip(),
            context=context,
            kind=SpanKind[declared.kind.upper()],
            attributes=_listed(attributes, declared.attributes),
            links=links,
            record_exception=False,  # its text may quote anything
            set_status_on_exception=False,
        ) as span:
            token = contexts.attach(contexts.set_value(KIND, kind))
            made = OpenSpan(kind, span)
            try:
                yield made
            except BaseException as error:
                made.fail(type(error).__name__)
                raise
            finally:
                contexts.detach(token)

    def present(self) -> OpenSpan | None:
        kind = contexts.get_value(KIND)
        return OpenSpan(kind, trace.get_current_span()) if isinstance(kind, str) else None

    def add(self, metric: str, amount: float, attributes: Attributes) -> None:
        self._counters[metric].add(amount, _listed(attributes, METRICS[metric].attributes))

    def measure(self, metric: str, value: float, attributes: Attributes) -> None:
        self._histograms[metric].record(value, _listed(attributes, METRICS[metric].attributes))

    def show(self, metric: str, rows: Rows) -> None:
        self._shown[metric] = (time.monotonic(), rows)

    def _look(self, metric: str) -> Callable[[CallbackOptions], Iterable[Observation]]:
        def observe(_: CallbackOptions) -> Iterable[Observation]:
            since, rows = self._shown.get(metric, (0.0, ()))
            if time.monotonic() - since > FRESH:
                return
            for value, attributes in rows:
                yield Observation(value, _listed(attributes, METRICS[metric].attributes))

        return observe


class EventHandler(logging.Handler):
    """Hands the events of our logger over; a traceback goes along without the error's text."""

    def __init__(self, loggers: "LoggerProvider") -> None:
        super().__init__()
        self._logger = loggers.get_logger(NAME)

    def emit(self, record: logging.LogRecord) -> None:
        name, fields = getattr(record, "event", ""), getattr(record, "fields", {})
        if not name:
            return
        attributes: dict[str, Any] = {"event": name, **fields}
        if record.exc_info and record.exc_info[2]:
            attributes["where"] = "".join(traceback.format_tb(record.exc_info[2])[-8:])
        self._logger.emit(
            LogRecord(
                timestamp=int(record.created * 1e9),
                observed_timestamp=time.time_ns(),
                context=contexts.get_current(),
                severity_text=record.levelname,
                severity_number=SEVERITIES.get(record.levelno, SeverityNumber.INFO),
                body=record.getMessage(),
                attributes=attributes,
                event_name=name,
            )
        )


def _below(parent: str, *, fresh: bool) -> tuple[Context | None, list[Link]]:
    """Where a span belongs, and what it is linked to.

    The host's own span of the invocation may be the present one: it stays the parent where it is
    of the same trace.
    """
    present = trace.get_current_span().get_span_context()
    links = [Link(present)] if present.is_valid else []
    if fresh:
        return Context(), links
    if not parent:
        return None, []
    _, trace_id, span_id, flags = parent.split("-")
    if present.is_valid and present.trace_id == int(trace_id, 16):
        return None, []
    remote = SpanContext(
        int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=TraceFlags(int(flags, 16))
    )
    return trace.set_span_in_context(NonRecordingSpan(remote), Context()), links


def _listed(attributes: Attributes, listed: Iterable[str]) -> dict[str, Value]:
    return {
        name: scrubbed(value) if isinstance(value, str) else value
        for name in listed
        if (value := attributes.get(name, "")) != ""
    }
