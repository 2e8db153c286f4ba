"""How deliveries, sweeps and calls are told: each is a span, and counts where it ends."""

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime

import msgspec

from shared.telemetry import recorder, traces
from shared.telemetry.events import bound, event
from shared.telemetry.recorder import Span, Value


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """What the queue says of a message, beside its body."""

    message_id: str = ""
    trace: str = ""  # see `shared.telemetry.traces`
    delivery: int = 1  # counted by the queue: of one message, with every repeat


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """What a delivery or a start is about."""

    operation: str
    connection: str
    kind: str


class Outcome(msgspec.Struct):
    """How it ends; noted meanwhile."""

    outcome: str = "done"
    code: str = ""

    def note(self, outcome: str, code: str = "") -> None:
        self.outcome, self.code = outcome, code


@contextmanager
def delivered(
    step: str, work: Work, arrival: Arrival, *, attempt: int, trace: str
) -> Iterator[Outcome]:
    """One delivery to a step of the chain; messages sent meanwhile carry its trace on."""
    with (
        bound(connection=work.connection, operation=work.operation, step=step),
        traces.continuing(trace),
        _delivery(step, arrival, trace, {**_about(work), "attempt": attempt}) as outcome,
    ):
        yield outcome


@contextmanager
def taken(queue: str, arrival: Arrival) -> Iterator[Outcome]:
    """One message of a queue that other systems write to, from their trace if they have one."""
    with _delivery(queue, arrival, arrival.trace, {}) as outcome:
        yield outcome


@contextmanager
def _delivery(
    step: str, arrival: Arrival, trace: str, more: Mapping[str, Value]
) -> Iterator[Outcome]:
    outcome = Outcome()
    attributes: dict[str, Value] = {
        "step": step,
        "delivery": arrival.delivery,
        "messaging.system": "servicebus",
        "messaging.destination.name": step,
        "messaging.message.id": arrival.message_id,
        **more,
    }
    began = time.perf_counter()
    with recorder.span("step", step, attributes, parent=trace) as span:
        try:
            yield outcome
        except BaseException as error:
            outcome.note("failed", type(error).__name__)
            span.fail(outcome.code)
            if isinstance(error, Exception):  # neither a shutdown nor a kill is a bug
                event("step.failed", level=logging.ERROR, raised=error)
            raise
        finally:
            span.set({"outcome": outcome.outcome, "code": outcome.code})
            spent = time.perf_counter() - began
            recorder.measure("keyturn.delivery.duration", spent, step=step, outcome=outcome.outcome)
            recorder.add(
                "keyturn.deliveries", step=step, outcome=outcome.outcome, code=outcome.code
            )


def aged(queue: str, since: datetime | None, now: datetime) -> None:
    """How long a message waited; *since* is when it was to be taken, by the queue's clock."""
    if since is not None:
        recorder.measure("keyturn.queue.age", max((now - since).total_seconds(), 0.0), queue=queue)


@contextmanager
def started(work: Work, *, fresh: bool) -> Iterator[str]:
    """The start of an operation; its trace, which all its messages carry.

    It goes on with the trace of the call or order that asked for it. A *fresh* one, which nobody
    asked for, and one that another operation brings about have traces of their own.
    """
    fresh = fresh or traces.elsewhere()
    if not fresh:
        recorder.present().set(_about(work))
    with ExitStack() as stack:
        stack.enter_context(traces.continuing(""))
        span = stack.enter_context(recorder.span("start", work.kind, _about(work), fresh=fresh))
        yield span.trace


@contextmanager
def buried(queue: str, arrival: Arrival, reason: str) -> Iterator[Span]:
    """A message that is taken from a dead-letter queue."""
    attributes = {"step": queue, "reason": reason, "messaging.message.id": arrival.message_id}
    recorder.add("keyturn.dead_letters", queue=queue, reason=reason)
    with (
        traces.continuing(arrival.trace),
        recorder.span("bury", queue, attributes, parent=arrival.trace) as span,
    ):
        yield span


class Sweep(msgspec.Struct):
    """What one run of a timer has done so far."""

    kind: str
    counts: dict[str, int] = msgspec.field(
        default_factory=lambda: {"started": 0, "busy": 0, "failed": 0}
    )

    def count(self, outcome: str) -> None:
        self.counts[outcome] += 1
        recorder.add("keyturn.sweep.connections", kind=self.kind, outcome=outcome)


@contextmanager
def swept(kind: str) -> Iterator[Sweep]:
    """One run of a timer."""
    sweep = Sweep(kind)
    outcome = "failed"
    with recorder.span("sweep", kind, {"kind": kind}, fresh=True) as span:
        try:
            yield sweep
            outcome = "partial" if sweep.counts["failed"] else "succeeded"
        finally:
            if outcome == "failed":
                span.fail("failed")
            counts = {name: sweep.counts[name] for name in ("started", "failed")}
            span.set({**counts, "outcome": outcome})
            recorder.add("keyturn.sweeps", kind=kind, outcome=outcome)


class Answered(msgspec.Struct):
    """What a call of the API was answered with."""

    status: int = 500


@contextmanager
def called(name: str, method: str, path: str, trace: str) -> Iterator[Answered]:
    """A call of the API."""
    answered = Answered()
    attributes = {"call": name, "http.request.method": method, "http.route": f"/api/{path}"}
    began = time.perf_counter()
    with recorder.span("call", name, attributes, parent=trace) as span:
        try:
            yield answered
        except Exception as error:
            span.fail(type(error).__name__)
            event("call.failed", level=logging.ERROR, call=name, raised=error)
            raise
        finally:
            span.set({"http.response.status_code": answered.status})
            spent = time.perf_counter() - began
            recorder.measure("keyturn.call.duration", spent, call=name, status=answered.status)


def ended(kind: str, outcome: str, code: str, seconds: float) -> None:
    """An operation has come to its end."""
    recorder.add("keyturn.operations", kind=kind, outcome=outcome, code=code)
    recorder.measure("keyturn.operation.duration", seconds, kind=kind, outcome=outcome)


@contextmanager
def asked(dependency: str, about: str, attributes: Mapping[str, Value]) -> Iterator[Outcome]:
    """One request to a service outside; what it raises is noted unless it was told before."""
    outcome = Outcome("ok")
    began = time.perf_counter()
    with recorder.span(dependency, about, attributes) as span:
        try:
            yield outcome
        except BaseException as error:
            if outcome.outcome == "ok":
                outcome.note("failed", type(error).__name__)
            raise
        finally:
            if outcome.outcome not in ("ok", "absent"):
                span.fail(outcome.code or outcome.outcome)
            span.set({"outcome": outcome.outcome})
            spent = time.perf_counter() - began
            recorder.measure(
                "keyturn.dependency.duration",
                spent,
                dependency=dependency,
                outcome=outcome.outcome,
            )


def outcome_of(status: int) -> str:
    """What an HTTP status says of a request."""
    if status == 429:
        return "throttled"
    if status == 404:
        return "absent"
    if status >= 500:
        return "failed"
    return "refused" if status >= 400 else "ok"


def _about(work: Work) -> dict[str, Value]:
    return {"operation": work.operation, "connection": work.connection, "kind": work.kind}
