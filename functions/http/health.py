"""Whether the application lives, and whether everything that it needs can be reached."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import azure.functions as func
import msgspec

from functions.http import answers
from functions.http.call import Connect
from shared import telemetry
from shared.checkup import PATIENCE, failing, look, settings_missing
from shared.context import Context
from shared.model.checkup import Dependency, Report
from shared.model.connection import Value
from shared.planning.expiry import KIND
from shared.planning.lifetime import LATE
from shared.settings import SettingsError

MOST_NAMED = 50
"""Connections of each list."""

EVER = timedelta(days=3650)
"""A warning lasts until its secret is replaced, or ends."""

REPORT, SWEEP = "checkup.", "sweep."
"""Marks of the ledger: what an app found when it looked last, and when a timer swept last."""


class Health(Value, frozen=True, omit_defaults=False):
    """The process answers, hence `alive`; `ok` needs every dependency of this app."""

    alive: bool
    ok: bool
    dependencies: tuple[Dependency, ...]
    now: datetime | None = None  # by this app's clock
    app: str = ""  # front, or empty where one app does it all
    worker: Report | None = None  # what the worker found when it looked last, by its own timer
    # When each timer swept last without a failure.
    sweeps: Mapping[str, datetime] = msgspec.field(default_factory=dict)
    overdue: tuple[str, ...] = ()  # connections whose rotation no sweep has taken in time
    expiring: tuple[str, ...] = ()  # those with a warning out, what ends first before the others


async def check_health(_req: func.HttpRequest, connect: Connect) -> func.HttpResponse:
    try:
        ctx = await connect()
    except SettingsError as error:
        return _answer(Health(alive=True, ok=False, dependencies=(settings_missing(str(error)),)))
    except Exception as error:  # noqa: BLE001 - told, not hidden: this call is how people find out
        return _answer(Health(alive=True, ok=False, dependencies=(failing("start", error),)))
    now = ctx.clock.now()
    # Rotations that are due for long: their timer must have failed, so it cannot tell.
    report, marks, overdue, expiring = await asyncio.gather(
        look(ctx), _marks(ctx), _due(ctx, "rotate", now - LATE), _due(ctx, KIND, now + EVER)
    )
    return _answer(_health(report, marks, overdue, expiring))


def _health(
    report: Report,
    marks: dict[str, dict[str, Any]],
    overdue: Sequence[str],
    expiring: Sequence[str],
) -> Health:
    worker = marks.get(f"{REPORT}worker")
    sweeps = {
        what.removeprefix(SWEEP): datetime.fromisoformat(data["at"])
        for what, data in sorted(marks.items())
        if what.startswith(SWEEP)
    }
    return Health(
        alive=True,
        ok=report.ok,
        dependencies=report.dependencies,
        now=report.at,
        app=report.app,
        worker=msgspec.convert(worker["report"], Report) if worker else None,
        sweeps=sweeps,
        overdue=tuple(overdue),
        expiring=tuple(expiring),
    )


async def _marks(ctx: Context) -> dict[str, dict[str, Any]]:
    try:
        async with asyncio.timeout(PATIENCE):
            return await ctx.ledger.marks()
    except Exception as error:  # noqa: BLE001 - the ledger is told as failing already
        telemetry.event("due.unknown", kind="marks", error=type(error).__name__)
        return {}


async def _due(ctx: Context, kind: str, before: datetime) -> list[str]:
    """Connections of which a kind of work was due by then, the longest due first."""
    try:
        async with asyncio.timeout(PATIENCE):
            return await ctx.ledger.due(kind, before, MOST_NAMED)
    except Exception as error:  # noqa: BLE001 - the dependency is told as failing already
        telemetry.event("due.unknown", kind=kind, error=type(error).__name__)
        return []


def _answer(health: Health) -> func.HttpResponse:
    return answers.ok(health, status=200 if health.ok else 503)
