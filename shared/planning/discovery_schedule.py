"""When the next scan is: Recurrence, Start, Every and Unit (D-37)."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from shared.errors import NeedsHuman
from shared.model.connection import Value
from shared.model.duration import parse_duration
from shared.model.profile import DiscoveryPolicy, Schedule

LARGEST_JITTER = timedelta(hours=1)
USUAL = timedelta(days=1)
"""Of a profile that repeats and says no interval."""

UNITS = {
    "minutes": timedelta(minutes=1),
    "hours": timedelta(hours=1),
    "days": timedelta(days=1),
    "weeks": timedelta(weeks=1),
}


class Recurrence(Value, frozen=True, omit_defaults=False):
    """How often, and counted from when; without a start, from the end of the last scan."""

    every: timedelta
    start: datetime | None = None


def recurrence(policy: DiscoveryPolicy, inputs: Mapping[str, Any]) -> Recurrence | None:
    """None for a connection that scans only when it is told to.

    A product that imports by itself is scanned once; its imports repeat, and read for themselves.
    """
    if not policy.schedule.recurrence or policy.result_state == "import":
        return None
    return Recurrence(every=_every(policy.schedule, inputs), start=_start(inputs))


def starts_on_save(schedule: Schedule, inputs: Mapping[str, Any]) -> bool:
    """*Start Scan on Save* (D-32): the request's word, else the profile's."""
    asked = inputs.get("start_scan_on_save")
    return schedule.start_on_save if asked is None else asked == "yes"


def next_run(connection: str, now: datetime, plan: Recurrence) -> datetime:
    """The first time after *now*; what was missed is caught up by one scan, not by many.

    Without a start it is spread over up to an hour, so that connections made together are not
    scanned together; a start is a person's word and is kept.
    """
    if plan.start is None:
        share = int.from_bytes(sha256(connection.encode()).digest()[:4]) / 2**32
        return now + plan.every + min(plan.every / 10, LARGEST_JITTER) * share
    if plan.start > now:
        return plan.start
    return plan.start + ((now - plan.start) // plan.every + 1) * plan.every


def _every(schedule: Schedule, inputs: Mapping[str, Any]) -> timedelta:
    asked = inputs.get("scan_every")
    if asked is None:
        return schedule.default or USUAL
    every = parse_duration(str(asked))
    if not any(every and not every % UNITS[unit] for unit in schedule.units):
        raise NeedsHuman(
            "INPUT_INVALID",
            f"scan_every is {asked}, which is no number of {' or '.join(schedule.units)}.",
            f"Give a whole number of {' or '.join(schedule.units)}, for example PT4H or P1D.",
        )
    return every


def _start(inputs: Mapping[str, Any]) -> datetime | None:
    asked = inputs.get("scan_start")
    if not asked:
        return None
    try:
        start = datetime.fromisoformat(str(asked))
        if start.tzinfo is not None:
            return start.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise NeedsHuman(
        "INPUT_INVALID",
        f"scan_start is {asked!r}, which is no date and time with an offset.",
        "Give it as in 2026-03-01T02:00:00+01:00.",
    )
