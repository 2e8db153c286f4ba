"""One trace per operation: where it begins, and how messages carry it.

Messages carry the ``traceparent`` of the operation's start, unchanged from step to step, so that
all deliveries are side by side below it, whichever process takes them, and however often. It is a
property of the message, not of its body: it means nothing to a step. Source: W3C Trace Context,
and "Distributed tracing and correlation through Service Bus messaging" (Diagnostic-Id).
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

from shared.telemetry import recorder

PROPERTIES = ("traceparent", "Diagnostic-Id")
"""Of a message: the standard's, and the one that Azure's SDKs and the host look for."""

_FORM = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")

_origin: ContextVar[str] = ContextVar("keyturn_origin", default="")


def trace_in(properties: Mapping[str, object] | None) -> str:
    """The trace that a message, or the headers of a call, came with; empty for a malformed one."""
    for name in PROPERTIES:
        found = (properties or {}).get(name)
        text = found.decode("ascii", "replace") if isinstance(found, bytes) else str(found or "")
        if _FORM.fullmatch(text):
            return text
    return ""


def trace_of(operation: str) -> str:
    """For an operation that was begun by a version without traces: the same one each time."""
    digest = hashlib.sha256(operation.encode()).hexdigest()
    return f"00-{digest[:32]}-{digest[32:48]}-01"


@contextmanager
def continuing(trace: str) -> Iterator[None]:
    """Messages that are sent meanwhile belong to the operation that began with *trace*."""
    token = _origin.set(trace)
    try:
        yield
    finally:
        _origin.reset(token)


def carried() -> str:
    """What a message that is sent now carries; empty outside of all traces."""
    return _origin.get() or recorder.present().trace


def trace_properties() -> dict[str, str]:
    """The same as properties of a message."""
    trace = carried()
    return dict.fromkeys(PROPERTIES, trace) if trace else {}


def elsewhere() -> bool:
    """Whether this task works for an operation already; another one has a trace of its own."""
    return bool(_origin.get())
