"""Telemetry in memory: OpenTelemetry's SDK, with exporters that keep what they get."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON

from shared import telemetry
from shared.adapters.opentelemetry_recorder import EventHandler, OpenTelemetryRecorder
from shared.telemetry import recorder


class Recorded:
    """What was recorded since the block began."""

    def __init__(self) -> None:
        self._spans, self._logs = InMemorySpanExporter(), InMemoryLogRecordExporter()
        self.tracers, loggers = TracerProvider(sampler=ALWAYS_ON), LoggerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self._spans))
        loggers.add_log_record_processor(SimpleLogRecordProcessor(self._logs))
        self._reader = InMemoryMetricReader()
        self.recorder = OpenTelemetryRecorder(self.tracers, MeterProvider([self._reader]))
        self.handler = EventHandler(loggers)

    @property
    def spans(self) -> list[ReadableSpan]:
        return list(self._spans.get_finished_spans())

    def named(self, kind: str) -> list[ReadableSpan]:
        return [span for span in self.spans if span.name.split(" ")[0] == kind]

    def events(self, name: str) -> list[dict[str, Any]]:
        found = [dict(each.log_record.attributes or {}) for each in self._logs.get_finished_logs()]
        return [fields for fields in found if fields["event"] == name]

    def values(self, metric: str) -> dict[tuple[str, ...], Any]:
        """By the values of the attributes, in the order of their names; of histograms the sum."""
        data = self._reader.get_metrics_data()
        return {
            tuple(str(value) for _, value in sorted((point.attributes or {}).items())): getattr(
                point, "value", getattr(point, "sum", None)
            )
            for of_resource in (data.resource_metrics if data else ())
            for of_scope in of_resource.scope_metrics
            for each in of_scope.metrics
            if each.name == metric
            for point in each.data.data_points
        }

    def everything(self) -> str:
        """All of it as text, for whoever looks for what must not be there."""
        logs = [each.to_json() for each in self._logs.get_finished_logs()]
        data = self._reader.get_metrics_data()
        return "\n".join(
            [*(span.to_json() for span in self.spans), *logs, data.to_json() if data else ""]
        )


@contextmanager
def recorded() -> Iterator[Recorded]:
    made = Recorded()
    before, level = recorder.install(made.recorder), telemetry.log.level
    telemetry.log.addHandler(made.handler)
    telemetry.log.setLevel(logging.INFO)
    try:
        yield made
    finally:
        telemetry.log.removeHandler(made.handler)
        telemetry.log.setLevel(level)
        recorder.install(before)
