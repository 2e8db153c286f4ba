"""One logger; every line is an event with fields, bound to the operation at work."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from shared.telemetry import recorder
from shared.telemetry.event_names import BOUND, EVENTS, UNLISTED
from shared.telemetry.scrubbing import scrubbed

log = logging.getLogger("keyturn")

_bound: ContextVar[dict[str, str] | None] = ContextVar("keyturn_bound", default=None)


@contextmanager
def bound(**fields: str) -> Iterator[None]:
    """Add *fields* to every event of this task."""
    token = _bound.set({**(_bound.get() or {}), **fields})
    try:
        yield
    finally:
        _bound.reset(token)


def bindings() -> dict[str, str]:
    """The fields that are added to events now."""
    return _bound.get() or {}


_pauses: ContextVar[list[float] | None] = ContextVar("keyturn_pauses", default=None)


@contextmanager
def pauses() -> Iterator[list[float]]:
    """Collects the seconds that this task, and those it starts, wait because they were told to."""
    collected: list[float] = []
    token = _pauses.set(collected)
    try:
        yield collected
    finally:
        _pauses.reset(token)


def paused(seconds: float) -> None:
    """Note such a wait, which Graph asked for."""
    recorder.add("keyturn.graph.wait", seconds)
    collected = _pauses.get()
    if collected is not None:
        collected.append(seconds)


def event(
    name: str,
    /,
    *,
    level: int = logging.INFO,
    raised: BaseException | None = None,
    **fields: object,
) -> None:
    """Log an event of `EVENTS`; fields that are not listed there stay out of the log.

    Fields must never hold a secret value. Of what was *raised* the class is a field.
    """
    if not log.isEnabledFor(level):
        return
    if name not in EVENTS:  # no reason to fail; a test sees to it that there is none
        name, fields = UNLISTED, {"name": name}
    if raised is not None:
        fields["error"] = type(raised).__name__
    listed = (*BOUND, *EVENTS[name])
    own = {field: _plain(fields[field]) for field in listed if field in fields}
    everything = {**bindings(), **own}
    # Both: text for whoever reads lines, `extra` for whoever queries fields.
    text = " ".join(f"{key}={value}" for key, value in everything.items())
    extra = {"event": name, "fields": everything}
    log.log(level, "%s %s", name, text, exc_info=raised, extra=extra)


def _plain(value: object) -> object:
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, (list, tuple, set, frozenset)):
        return scrubbed(", ".join(str(each) for each in value))
    return scrubbed(str(value))


_writes: ContextVar[list[str] | None] = ContextVar("keyturn_writes", default=None)


@contextmanager
def collecting_writes() -> Iterator[None]:
    """Collect the request ids of writes to Graph in this task, and in those that it starts."""
    token = _writes.set([])
    try:
        yield
    finally:
        _writes.reset(token)


def note_write(request_id: str) -> None:
    """A write to Graph was answered; its id is what Microsoft's support asks for."""
    if (noted := _writes.get()) is not None and request_id:
        noted.append(request_id)


def take_writes() -> list[str]:
    """The ids noted since the last call."""
    noted = _writes.get()
    if not noted:
        return []
    taken = list(noted)
    noted.clear()
    return taken
