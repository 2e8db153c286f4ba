"""What an import is to do: the request's words, completed from the connection's inputs."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from shared.model.connection import FINISHED, Connection, Spec
from shared.model.duration import parse_duration
from shared.model.imports import ImportRequest, ImportSchedule, ImportSummary

GRACE = timedelta(minutes=30)
"""A synchronisation that is late by more, and by more than a tenth of its interval, is overdue."""


def from_inputs(inputs: Mapping[str, Any]) -> ImportRequest:
    """The import that the connection's own inputs describe."""
    return ImportRequest(
        users=tuple(inputs.get("users") or ()),
        groups=tuple(inputs.get("groups") or ()),
        roles=dict(inputs.get("roles") or {}),
    )


def interval(spec: Spec) -> str:
    """How often the connection is to be kept in step; empty when it is not."""
    hours = spec.inputs.get("sync_interval_hours")
    return f"PT{hours}H" if spec.features.get("sync") and hours else ""


def completed(request: ImportRequest, connection: Connection) -> ImportRequest:
    """Nobody named means those of the inputs; no interval said means theirs, for a first import."""
    defaults = from_inputs(connection.spec.inputs)
    if not request.names_anybody():
        request = replace(request, users=defaults.users, groups=defaults.groups)
    if not request.roles:
        request = replace(request, roles=defaults.roles)
    if request.every is None:
        selected = bool(request.account_ids) and not (request.users or request.groups)
        known = connection.import_schedule is not None or selected
        request = replace(request, every="" if known else interval(connection.spec))
    return request


def standing(request: ImportRequest) -> ImportRequest:
    """What a schedule keeps of a request: everything but the accounts selected by hand."""
    return replace(request, every="", account_ids=())


def next_run(schedule: ImportSchedule, now: datetime) -> datetime:
    """Counted from now: runs that were missed are caught up by one."""
    return now + parse_duration(schedule.every)


def last_run(summaries: list[ImportSummary]) -> ImportSummary | None:
    """The latest synchronisation that ended well."""
    good = (run for run in summaries if run.finished and run.state in FINISHED)
    return next((run for run in good if run.scheduled), None)


def overdue(schedule: ImportSchedule, last: ImportSummary | None, now: datetime) -> bool:
    """Whether the connection has not been in step for longer than it should."""
    if not schedule.enabled:
        return False
    every = parse_duration(schedule.every)
    since = max(last.started, schedule.made) if last else schedule.made
    return now > since + every + max(GRACE, every / 10)
