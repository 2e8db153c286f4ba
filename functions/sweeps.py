"""Sweeps: each takes what is due of one kind and asks for operations; none does any work itself."""

import logging
import uuid
from datetime import datetime, timedelta

from functions import census
from shared import telemetry
from shared.context import Context
from shared.errors import StepError
from shared.messages import RESUME
from shared.operations import TIMER, is_leaving, resume, start

AT_ONCE = 200
"""Connections that one sweep takes; the rest stays due for the next."""

RETRY = timedelta(hours=1)
"""When a connection is due again if the operation does not note the next time itself."""


MOST_FAILURES = 10
"""Of one sweep; more mean that a service is down, and each takes its time to fail."""

BUSY = timedelta(minutes=5)
"""When it is due again if another operation of the connection is in flight."""


async def sweep(ctx: Context, kind: str) -> int:
    """Start what is due of one kind, the longest overdue first; answers how many."""
    with telemetry.swept(kind) as done:
        now = ctx.clock.now()
        for name in await ctx.ledger.due(kind, now, AT_ONCE):
            try:
                done.count("started" if await _take(ctx, kind, name, now) else "busy")
            except Exception as error:
                # One that cannot be taken must not keep the others waiting.
                done.count("failed")
                with telemetry.bound(connection=name):
                    level = logging.ERROR
                    telemetry.event("sweep.failed", level=level, kind=kind, raised=error)
                if done.counts["failed"] == MOST_FAILURES:
                    raise
        started, failed = done.counts["started"], done.counts["failed"]
        telemetry.event("sweep.finished", kind=kind, started=started, failed=failed)
        if not failed:
            await _note(ctx, kind, started)
        await census.take(ctx, kind)
    return started


async def _note(ctx: Context, kind: str, started: int) -> None:
    """Tell that this timer works; what it did is done, whether or not that can be told."""
    try:
        await ctx.ledger.mark(f"sweep.{kind}", ctx.clock.now(), {"started": started})
    except StepError as error:
        telemetry.event("due.unknown", kind=kind, error=error.code)


async def _take(ctx: Context, kind: str, name: str, now: datetime) -> bool:
    # First: the operation notes its own next time, and a fast one does so at once.
    await ctx.ledger.set_due(kind, name, now + RETRY)
    if kind == RESUME:
        return await resume(ctx, name, now)
    operation = str(uuid.uuid4())
    begun = await start(ctx, name, kind, operation, asked_by=TIMER, reason="due")
    if begun is None:
        due = None if await is_leaving(ctx, name) else now + BUSY
        await ctx.ledger.set_due(kind, name, due)
    return begun is not None
