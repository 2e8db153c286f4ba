"""Schedules of imports, all in one place: shown, changed, removed."""

from collections.abc import Sequence
from datetime import datetime

import azure.functions as func
from msgspec.structs import replace

from functions.http import answers, asking
from functions.http.call import Connect
from shared.context import Context
from shared.imports import DUE
from shared.model.connection import Connection, Value
from shared.model.imports import ImportRequest, ImportSchedule
from shared.planning.import_requests import last_run, next_run, overdue
from shared.requests import check_schedule
from shared.requests.text import is_name, shown

ENDING = ".import"
"""Of a schedule's id, behind the connection's name: other kinds of work may get schedules."""

SYNC_OVERDUE = "SYNC_OVERDUE"


class ScheduleView(Value, frozen=True, omit_defaults=False):
    """A schedule: what it repeats, when it ran well last, when it is due."""

    id: str
    connection: str
    every: str
    enabled: bool
    made: datetime
    by: str
    last_run: datetime | None
    next_run: datetime | None
    overdue: bool
    reason: str
    message: str
    request: ImportRequest


class ScheduleList(Value, frozen=True, omit_defaults=False):
    """The schedules of all connections, by connection."""

    schedules: tuple[ScheduleView, ...]


async def list_schedules(req: func.HttpRequest, connect: Connect) -> func.HttpResponse:
    asking.query(req, ())
    ctx = await connect()
    rows: Sequence[Connection] = await ctx.ledger.connections()
    views = [await _view(ctx, row.spec.name, row.import_schedule) for row in rows
             if row.import_schedule]  # fmt: skip
    return answers.ok(ScheduleList(schedules=tuple(views)))


async def change_schedule(req: func.HttpRequest, connect: Connect) -> func.HttpResponse:
    name = _connection(req)
    change = asking.checked(check_schedule(asking.body(req)))
    ctx = await connect()
    known = await _find(ctx, name)
    made = replace(
        known,
        every=change.every or known.every,
        enabled=known.enabled if change.enabled is None else change.enabled,
    )
    now = ctx.clock.now()
    await ctx.ledger.amend(name, import_schedule=made)
    due = (await ctx.ledger.due_times(name)).get(DUE)
    if not made.enabled:
        due = None
    elif due is None or change.every:
        following = next_run(made, now)
        due = min(due or following, following)  # a shorter interval counts from now
    await ctx.ledger.set_due(DUE, name, due)
    data = {"every": made.every, "enabled": made.enabled, **_by(req)}
    await ctx.ledger.record(name, now, "schedule.changed", data)
    return answers.ok(await _view(ctx, name, made))


async def remove_schedule(req: func.HttpRequest, connect: Connect) -> func.HttpResponse:
    name = _connection(req)
    ctx = await connect()
    known = await _find(ctx, name)
    await ctx.ledger.amend(name, import_schedule=None)
    await ctx.ledger.set_due(DUE, name, None)
    data = {"every": known.every, **_by(req)}
    await ctx.ledger.record(name, ctx.clock.now(), "schedule.removed", data)
    return answers.ok(await _view(ctx, name, replace(known, enabled=False)))


def _by(req: func.HttpRequest) -> dict[str, str]:
    """Who changes a schedule, for the audit history."""
    caller = asking.who(req)
    return {"by": caller.name, "principal": caller.id}


async def _find(ctx: Context, name: str) -> ImportSchedule:
    connection = await ctx.ledger.connection(name)
    if connection is None or connection.import_schedule is None:
        raise _unknown(name + ENDING)
    return connection.import_schedule


def _connection(req: func.HttpRequest) -> str:
    id_ = req.route_params.get("id") or ""
    name = id_.removesuffix(ENDING)
    if not id_.endswith(ENDING) or not is_name(name):
        raise _unknown(id_)
    return name


def _unknown(id_: str) -> answers.Fault:
    message = f"there is no schedule {shown(id_, 60)}"
    return answers.fault(404, "SCHEDULE_UNKNOWN", message, "see GET /api/schedules", field="id")


async def _view(ctx: Context, name: str, schedule: ImportSchedule | None) -> ScheduleView:
    if schedule is None:
        raise _unknown(name + ENDING)
    last = last_run(await ctx.import_store.summaries(name))
    late = overdue(schedule, last, ctx.clock.now())
    since = last.started.isoformat() if last else "never"
    return ScheduleView(
        id=name + ENDING,
        connection=name,
        every=schedule.every,
        enabled=schedule.enabled,
        made=schedule.made,
        by=schedule.by,
        last_run=last.started if last else None,
        next_run=(await ctx.ledger.due_times(name)).get(DUE) if schedule.enabled else None,
        overdue=late,
        reason=SYNC_OVERDUE if late else "",
        message=f"in step every {schedule.every}, last: {since}" if late else "",
        request=schedule.request,
    )
