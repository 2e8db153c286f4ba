"""Every metric, with its unit (UCUM) and its attributes, all of which have few values.

The one attribute with as many values as there are connections, `connection`, is on one gauge
alone, which names no more than `MOST_NAMED`: those whose secrets end first.
"""

import msgspec

MOST_NAMED = 50
"""Connections that a gauge tells apart; more would make each a time series of its own for good."""


class Metric(msgspec.Struct, frozen=True):
    """One instrument and the question that it answers."""

    kind: str  # counter | histogram | gauge
    unit: str  # UCUM; words in braces count things
    about: str
    attributes: tuple[str, ...] = ()
    outcomes: tuple[str, ...] = ()
    """All values of its attribute ``outcome``: alerts that ask for another never fire."""


DELIVERED = ("done", "postponed", "stopped", "dropped", "failed")
ANSWERED = ("ok", "absent", "throttled", "refused", "failed")
ENDED = ("succeeded", "needs-attention", "superseded")
TAKEN = ("started", "busy", "failed")
SWEPT = ("succeeded", "partial", "failed")


def _counter(unit: str, about: str, *attributes: str, outcomes: tuple[str, ...] = ()) -> Metric:
    return Metric("counter", unit, about, attributes, outcomes)


def _histogram(unit: str, about: str, *attributes: str, outcomes: tuple[str, ...] = ()) -> Metric:
    return Metric("histogram", unit, about, attributes, outcomes)


def _gauge(unit: str, about: str, *attributes: str) -> Metric:
    return Metric("gauge", unit, about, attributes)


METRICS: dict[str, Metric] = {
    "keyturn.call.duration": _histogram(
        "s", "How long the API takes, and what it answers.", "call", "status"
    ),
    "keyturn.connections": _gauge(
        "{connection}", "Connections that are not offboarded.", "profile"
    ),
    "keyturn.connections.failing": _gauge(
        "{connection}", "Connections with a condition that is False.", "condition"
    ),
    "keyturn.credential.nearest_expiry": _gauge(
        "d",
        f"Days until the published secret ends, of the {MOST_NAMED} that end first.",
        "connection",
        "profile",
    ),
    "keyturn.credential.rotation_overdue": _gauge(
        "{connection}", "Connections whose rotation no sweep has taken for more than a day."
    ),
    "keyturn.dead_letters": _counter(
        "{message}", "Messages that ended in a dead-letter queue.", "queue", "reason"
    ),
    "keyturn.deliveries": _counter(
        "{message}",
        "Messages that steps took; failed is poison.",
        "step",
        "outcome",
        "code",
        outcomes=DELIVERED,
    ),
    "keyturn.delivery.duration": _histogram(
        "s", "How long a step works on a message.", "step", "outcome", outcomes=DELIVERED
    ),
    "keyturn.dependency.duration": _histogram(
        "s",
        "How long Graph, the vault, the bus, storage and the token endpoint take.",
        "dependency",
        "outcome",
        outcomes=ANSWERED,
    ),
    "keyturn.discovery.accounts": _counter("{account}", "Accounts that scans read.", "profile"),
    "keyturn.discovery.rate": _histogram(
        "{account}/s", "Accounts per second of a finished scan, waits included.", "profile"
    ),
    "keyturn.findings.open": _gauge(
        "{finding}", "Differences from what was asked for, as verifications left them.", "verdict"
    ),
    "keyturn.graph.throttled": _counter("{response}", "Answers of Graph with status 429."),
    "keyturn.graph.wait": _counter("s", "Time that steps waited because Graph asked for it."),
    "keyturn.operation.duration": _histogram(
        "s", "From the start of an operation to its end.", "kind", "outcome", outcomes=ENDED
    ),
    "keyturn.operations": _counter(
        "{operation}",
        "Operations that ended.",
        "kind",
        "outcome",
        "code",
        outcomes=ENDED,
    ),
    "keyturn.queue.age": _histogram(
        "s", "Age of a message when it is taken, counted from when it was to be.", "queue"
    ),
    "keyturn.requests.refused": _counter(
        "{request}", "Orders and calls that were refused: source queue or http.", "source", "code"
    ),
    "keyturn.rotation.lead_time": _histogram(
        "d", "Days before its predecessor's end at which a new secret was published.", "profile"
    ),
    "keyturn.sweep.connections": _counter(
        "{connection}",
        "Connections that sweeps took.",
        "kind",
        "outcome",
        outcomes=TAKEN,
    ),
    "keyturn.sweeps": _counter(
        "{sweep}",
        "Runs of the timers; partial if connections were left out.",
        "kind",
        "outcome",
        outcomes=SWEPT,
    ),
}
