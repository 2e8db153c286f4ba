"""Timers: each sweeps only what is due and asks for operations; none does any work itself."""

import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta

import azure.functions as func

from shared import bootstrap, telemetry
from shared.context import Context
from shared.operations import RESUME, resume, start

SWEEPS = {
    "rotate": "KEYTURN_ROTATE_SCHEDULE",
    "verify": "KEYTURN_VERIFY_SCHEDULE",
    "discover": "KEYTURN_DISCOVER_SCHEDULE",
    "import": "KEYTURN_IMPORT_SCHEDULE",
    "retire": "KEYTURN_RETIRE_SCHEDULE",
    "token": "KEYTURN_TOKEN_SCHEDULE",
    RESUME: "KEYTURN_RESUME_SCHEDULE",
}
"""Kind of work and the setting that holds its schedule (NCRONTAB)."""

AT_ONCE = 200
"""Connections that one sweep takes; the rest stays due for the next."""

RETRY = timedelta(hours=1)
"""When a connection is due again if the operation does not note the next time itself."""


MOST_FAILURES = 10
"""Of one sweep; more mean that a service is down, and each takes its time to fail."""

BUSY = timedelta(minutes=5)
"""When it is due again if another operation of the connection is in flight."""


def blueprints() -> Iterator[func.Blueprint]:
    return (_timer(kind, setting) for kind, setting in SWEEPS.items())


def _timer(kind: str, setting: str) -> func.Blueprint:
    blueprint = func.Blueprint()

    @blueprint.function_name(name=f"{kind}_due")
    @blueprint.timer_trigger(arg_name="timer", schedule=f"%{setting}%", run_on_startup=False)
    async def handle(timer: func.TimerRequest) -> None:
        if timer.past_due:
            telemetry.event("sweep.late", kind=kind)
        await sweep(await bootstrap.context(), kind)

    return blueprint


async def sweep(ctx: Context, kind: str) -> int:
    """Start what is due of one kind, the longest overdue first; answers how many."""
    now = ctx.clock.now()
    started = failed = 0
    for name in await ctx.ledger.due(kind, now, AT_ONCE):
        try:
            started += await _take(ctx, kind, name, now)
        except Exception:
            # One that cannot be taken must not keep the others waiting.
            failed += 1
            telemetry.log.exception("sweep.failed kind=%s connection=%s", kind, name)
            if failed == MOST_FAILURES:
                raise
    telemetry.event("sweep.finished", kind=kind, started=started, failed=failed)
    return started


async def _take(ctx: Context, kind: str, name: str, now: datetime) -> bool:
    # First: the operation notes its own next time, and a fast one does so at once.
    await ctx.ledger.set_due(kind, name, now + RETRY)
    if kind == RESUME:
        return await resume(ctx, name, now)
    operation = str(uuid.uuid4())
    begun = await start(ctx, name, kind, operation, asked_by="timer", reason="due")
    if begun is None:
        await ctx.ledger.set_due(kind, name, now + BUSY)
    return begun is not None
