"""What the code tells about itself: events, and what else `shared.telemetry.reference` lists."""

from shared.telemetry.events import (
    bound,
    collecting_writes,
    event,
    log,
    note_write,
    paused,
    pauses,
    take_writes,
)

__all__ = [
    "bound",
    "collecting_writes",
    "event",
    "log",
    "note_write",
    "paused",
    "pauses",
    "take_writes",
]
