"""Shows how all connections are, for whoever looks at gauges or is woken by them."""

from datetime import datetime, timedelta
from typing import get_args

from shared import telemetry
from shared.context import Context
from shared.errors import StepError
from shared.model.connection import Aspect
from shared.model.finding import Verdict
from shared.planning.census import census
from shared.planning.lifetime import LATE
from shared.telemetry.metric_names import MOST_NAMED

KIND = "verify"
"""The sweep after which it is taken; any would do, one is enough."""

EVERY = timedelta(minutes=55)
"""It reads every connection; gauges show the last one for two hours."""

MOST_OVERDUE = 200

_taken: dict[str, datetime] = {}


async def take(ctx: Context, kind: str) -> None:
    """Look, where somebody records it and the last look is some time ago."""
    now = ctx.clock.now()
    last = _taken.get(KIND)
    if kind != KIND or not telemetry.recording() or (last and last <= now < last + EVERY):
        return
    try:
        found = census(await ctx.ledger.connections(), now, most=MOST_NAMED)
        overdue = await ctx.ledger.due("rotate", now - LATE, MOST_OVERDUE)
    except StepError as error:  # the next sweep tries again; this one has done its work
        telemetry.event("census.failed", raised=error)
        return
    _taken[KIND] = now
    telemetry.show(
        "keyturn.connections",
        [(count, {"profile": profile}) for profile, count in found.connections.items()],
    )
    # Zeros too: what is gone from a gauge looks like what has not been looked at.
    telemetry.show(
        "keyturn.connections.failing",
        [(found.failing.get(aspect, 0), {"condition": aspect.value}) for aspect in Aspect],
    )
    telemetry.show(
        "keyturn.findings.open",
        [(found.findings.get(each, 0), {"verdict": each}) for each in get_args(Verdict)],
    )
    telemetry.show(
        "keyturn.credential.nearest_expiry",
        [
            (ending.days, {"connection": ending.connection, "profile": ending.profile})
            for ending in found.endings
        ],
    )
    telemetry.show("keyturn.credential.rotation_overdue", [(len(overdue), {})])


def forget() -> None:
    """As a process that has just started, which looks with its first sweep."""
    _taken.clear()
