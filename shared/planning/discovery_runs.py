"""Runs that should have ended."""

from datetime import datetime, timedelta

from msgspec.structs import replace

from shared.model.accounts import Summary
from shared.model.connection import Operation

STUCK = timedelta(hours=4)
"""An hour more than a step may wait; a run that takes longer died again and again."""


def why_stuck(run: Summary, now: datetime) -> str:
    """Empty while a run is within its limit (D-33)."""
    if run.state != "running" or now - run.started <= STUCK:
        return ""
    return (
        f"The scan that began at {run.started:%Y-%m-%d %H:%M} UTC is not over "
        f"after {STUCK.total_seconds() / 3600:.0f} hours."
    )


def as_shown(run: Summary, flight: Operation | None, now: datetime) -> Summary:
    """A run that says `running` and is not, because what would have ended it died."""
    if run.state != "running":
        return run
    if flight is None or flight.id != run.operation or flight.state != "running":
        return replace(run, state="failed", why="Its operation ended before the scan did.")
    why = why_stuck(run, now)
    return replace(run, why=f"DISCOVERY_STUCK: {why}") if why else run
