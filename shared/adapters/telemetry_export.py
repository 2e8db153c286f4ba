"""Where telemetry goes: Application Insights, a collector that speaks OTLP, both, or nowhere.

An exporter is imported by the thread that first exports, seconds after the first invocation, which
would otherwise wait for it. Nobody waits for one: what cannot be sent is dropped.

OTLP goes as JSON, since no package here may bring protobuf: the Functions worker has its own, and
ends when it meets another. Source: Azure/azure-functions-python-worker, issue 1332.
"""

import atexit
import logging
import threading
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from shared import telemetry
from shared.adapters.opentelemetry_recorder import NAME, EventHandler, OpenTelemetryRecorder
from shared.settings import Exporting
from shared.telemetry import recorder

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource

LAST = 3.0
"""Seconds that a process which ends spends on what was not sent yet."""

AZURE = "azure.monitor.opentelemetry.exporter"
OTLP = "opentelemetry.exporter.otlp.json.http"

log = logging.getLogger(__name__)


class Late:
    """An exporter of spans, metrics or logs, made when there is something to export.

    One that cannot be made is said once, and stays away: telemetry is no reason to fail.
    """

    _preferred_aggregation = None

    def __init__(self, make: Callable[[], Any], temporality: Any = None) -> None:
        self._make = make
        self._made: Any = None
        self._broken = False
        self._preferred_temporality = temporality

    def export(self, batch: Any, *given: Any, **options: Any) -> Any:
        if self._made is None and not self._broken:
            try:
                self._made = self._make()
            except Exception:
                self._broken = True
                log.exception("telemetry cannot be exported")
        return None if self._made is None else self._made.export(batch, *given, **options)

    def shutdown(self, *_: Any, **__: Any) -> None:
        if self._made is not None:
            self._made.shutdown()

    def force_flush(self, *_: Any, **__: Any) -> bool:
        return True


def start(exporting: Exporting) -> Callable[[], None]:
    """Record from now on; answers what sends everything that was not sent yet, and waits for it."""
    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
    from opentelemetry.sdk.trace import SpanLimits, TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.sampling import ALWAYS_ON

    resource = _resource(exporting)
    readers: list[Any] = []
    tracers = TracerProvider(
        # A caller who does not record must not keep us from it, unless the settings say so.
        sampler=None if exporting.sampler else ALWAYS_ON,
        resource=resource,
        shutdown_on_exit=False,
        span_limits=SpanLimits(max_attribute_length=1024),
    )
    loggers = LoggerProvider(resource=resource, shutdown_on_exit=False)
    for spans, metrics, logs in _destinations(exporting):
        tracers.add_span_processor(BatchSpanProcessor(spans))
        loggers.add_log_record_processor(BatchLogRecordProcessor(logs))
        readers.append(PeriodicExportingMetricReader(metrics))
    meters = MeterProvider(readers, resource, shutdown_on_exit=False)
    recorder.install(OpenTelemetryRecorder(tracers, meters))
    telemetry.log.addHandler(EventHandler(loggers))
    telemetry.log.setLevel(logging.INFO)

    def flush() -> None:
        for provider in (meters, loggers, tracers):  # what alerts ask for goes first
            provider.force_flush()

    atexit.register(_last, flush)
    return flush


def _last(flush: Callable[[], None]) -> None:
    """A collector that is down must not keep the process from ending."""
    thread = threading.Thread(target=flush, daemon=True)
    thread.start()
    thread.join(LAST)


def _resource(exporting: Exporting) -> "Resource":
    """Variables of the standard (OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES) win."""
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource

    own = {
        "service.name": exporting.app,
        "service.namespace": NAME,
        "service.instance.id": exporting.instance,
    }
    return Resource(own).merge(OTELResourceDetector().detect())


def _destinations(exporting: Exporting) -> list[tuple[Any, Any, Any]]:
    """Exporters of spans, metrics and logs for each."""
    found = []
    if exporting.application_insights:
        # Not kept on the disk while it cannot be sent: the disk is nobody's to look after.
        options = {
            "connection_string": exporting.application_insights,
            "disable_offline_storage": True,
        }
        found.append(
            (
                Late(lambda: _made(AZURE, "AzureMonitorTraceExporter", options)),
                Late(lambda: _made(AZURE, "AzureMonitorMetricExporter", options), _deltas()),
                Late(lambda: _made(AZURE, "AzureMonitorLogExporter", options)),
            )
        )
    if exporting.otlp:  # the exporters read the address, and more, themselves
        found.append(
            (
                Late(lambda: _made(f"{OTLP}.trace_exporter", "OTLPSpanExporter", {})),
                Late(lambda: _made(f"{OTLP}.metric_exporter", "OTLPMetricExporter", {})),
                Late(lambda: _made(f"{OTLP}._log_exporter", "OTLPLogExporter", {})),
            )
        )
    return found


def _made(module: str, name: str, options: dict[str, Any]) -> Any:
    return getattr(import_module(module), name)(**options)


def _deltas() -> dict[type, Any]:
    """Application Insights adds up what it gets."""
    from opentelemetry.sdk.metrics import Counter, Histogram
    from opentelemetry.sdk.metrics.export import AggregationTemporality

    return dict.fromkeys((Counter, Histogram), AggregationTemporality.DELTA)
