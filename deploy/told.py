"""What the apps tell of themselves, as findings."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from deploy.findings import FAILED, OK, WARNING, Finding

STATUS = {"ok": OK, "warning": WARNING, "failing": FAILED, "unchecked": WARNING}

SKEW = timedelta(minutes=2)
LATE = timedelta(minutes=30)
"""The worker looks every ten minutes, and an app that slept takes a while to wake."""

SWEEPS = ("rotate", "verify", "discover", "import", "retire", "prestage", "token", "resume")
LATE_SWEEP = timedelta(hours=1)
"""By default the slowest timer runs every quarter of an hour."""


def findings(health: dict[str, Any], now: datetime) -> Iterator[Finding]:
    """All that the front door told, what it told of the worker, and how old that is."""
    app = health.get("app", "")
    front = "front door" if app else "app"
    yield from _dependencies(front, health["dependencies"])
    if not health.get("now"):
        return  # it has no settings, so it knows nothing else
    theirs = datetime.fromisoformat(health["now"])
    yield _clock(theirs, now)
    if app:
        yield from _worker(health.get("worker"), theirs)
    yield _sweeps(health.get("sweeps", {}), theirs)
    if overdue := health.get("overdue"):
        yield Finding(
            FAILED,
            "rotations",
            f"overdue: {', '.join(overdue)}",
            "see why the timers do not take them: the log of the front door (rotate_due)",
        )
    if expiring := health.get("expiring"):
        yield Finding(
            WARNING,
            "secrets",
            f"end soon, and nothing has replaced them: {', '.join(expiring)}",
            "GET /api/connections?attention=expiring says why; then rotate and hand over",
        )


def _dependencies(where: str, found: Iterable[dict[str, Any]]) -> Iterator[Finding]:
    for each in found:
        status = STATUS.get(each["status"], WARNING)
        yield Finding(
            status, f"{where}, {each['name']}", each.get("message", ""), each.get("remedy", "")
        )


def _clock(theirs: datetime, now: datetime) -> Finding:
    skew = round((theirs - now).total_seconds())
    if abs(skew) <= SKEW.total_seconds():
        return Finding(OK, "this machine's clock")
    return Finding(
        WARNING,
        "this machine's clock",
        f"it and the app's differ by {abs(skew)} seconds",
        "see which of the two is wrong: the app compares its own with the tenant's (clock)",
    )


def _worker(report: dict[str, Any] | None, now: datetime) -> Iterator[Finding]:
    remedy = (
        "see that the worker runs (azd deploy) and that its timer `checkup` is not disabled; its "
        "log names settings that are missing"
    )
    if report is None:
        message = "it has never told what it finds; it looks every ten minutes"
        yield Finding(FAILED, "worker", message, remedy)
        return
    age = now - datetime.fromisoformat(report["at"])
    if age > LATE:
        minutes = round(age.total_seconds() / 60)
        yield Finding(FAILED, "worker", f"it told last {minutes} minutes ago", remedy)
    yield from _dependencies("worker", report["dependencies"])


def _sweeps(last: dict[str, str], now: datetime) -> Finding:
    late = [
        kind
        for kind in SWEEPS
        if kind not in last or now - datetime.fromisoformat(last[kind]) > LATE_SWEEP
    ]
    if not late:
        return Finding(OK, "timers", "each has swept within the last hour")
    return Finding(
        FAILED if len(late) == len(SWEEPS) else WARNING,
        "timers",
        f"no sweep without a failure in the last hour: {', '.join(late)}",
        "right after a deployment wait for the first ones (a quarter of an hour), else see the "
        "log of the front door (..._due)",
    )


def utc_now() -> datetime:
    return datetime.now(UTC)
