"""Whether the application lives, and whether everything that it needs can be reached."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

import azure.functions as func

from functions.http import answers
from functions.http.call import Connect
from shared import telemetry
from shared.context import Context
from shared.errors import StepError
from shared.model.connection import Value
from shared.planning.expiry import KIND
from shared.planning.lifetime import LATE
from shared.settings import SettingsError

PATIENCE = 10.0
"""Seconds that a dependency has to answer."""

MOST_NAMED = 50
"""Connections of each list."""

EVER = timedelta(days=3650)
"""A warning lasts until its secret is replaced, or ends."""

PROBE = "health-probe"
"""Name of a connection and secret that need not exist: absence is an answer."""


class Dependency(Value, frozen=True, omit_defaults=False):
    """One service that the application needs."""

    name: str
    status: str  # ok | failing | unchecked
    message: str = ""


class Health(Value, frozen=True, omit_defaults=False):
    """The process answers, hence `alive`; `ok` needs every dependency."""

    alive: bool
    ok: bool
    dependencies: tuple[Dependency, ...]
    overdue: tuple[str, ...] = ()  # connections whose rotation no sweep has taken in time
    expiring: tuple[str, ...] = ()  # those with a warning out, what ends first before the others


@runtime_checkable
class Checkable(Protocol):
    """An outbox that can tell whether its queues are reachable without sending anything."""

    async def check(self) -> None: ...


async def check_health(_req: func.HttpRequest, connect: Connect) -> func.HttpResponse:
    try:
        ctx = await connect()
    except SettingsError as error:
        # Names settings, never their values.
        return _answer([Dependency(name="settings", status="failing", message=str(error))])
    except Exception as error:  # noqa: BLE001 - told, not hidden: this call is how people find out
        return _answer([_failing("start", error)])
    probes = _probes(ctx)
    found = await asyncio.gather(*(_try(name, probe) for name, probe in probes.items()))
    now = ctx.clock.now()
    # Rotations that are due for long: their timer must have failed, so it cannot tell.
    overdue, expiring = await asyncio.gather(
        _due(ctx, "rotate", now - LATE), _due(ctx, KIND, now + EVER)
    )
    return _answer(found, overdue, expiring)


async def _due(ctx: Context, kind: str, before: datetime) -> list[str]:
    """Connections of which a kind of work was due by then, the longest due first."""
    try:
        async with asyncio.timeout(PATIENCE):
            return await ctx.ledger.due(kind, before, MOST_NAMED)
    except Exception as error:  # noqa: BLE001 - the dependency is told as failing already
        telemetry.event("due.unknown", kind=kind, error=type(error).__name__)
        return []


def _probes(ctx: Context) -> dict[str, Callable[[], Awaitable[object]] | None]:
    """A harmless read of each; None where there is none."""
    return {
        "ledger": lambda: ctx.ledger.connection(PROBE),
        "vault": lambda: ctx.vault.current(PROBE),
        "service bus": ctx.outbox.check if isinstance(ctx.outbox, Checkable) else None,
        "graph": ctx.directory.tenant,
    }


async def _try(name: str, probe: Callable[[], Awaitable[object]] | None) -> Dependency:
    if probe is None:
        return Dependency(name=name, status="unchecked", message="it offers no harmless read")
    try:
        async with asyncio.timeout(PATIENCE):
            await probe()
    except Exception as error:  # noqa: BLE001 - a bug in one must not hide the others
        return _failing(name, error)
    return Dependency(name=name, status="ok")


def _failing(name: str, error: Exception) -> Dependency:
    """Tell what our adapters say; of anything else only the kind, as its text may hold values."""
    said = f"{error.code}: {error.message}" if isinstance(error, StepError) else ""
    telemetry.event("dependency.failed", dependency=name, error=type(error).__name__)
    return Dependency(name=name, status="failing", message=said or type(error).__name__)


def _answer(
    found: list[Dependency], overdue: Sequence[str] = (), expiring: Sequence[str] = ()
) -> func.HttpResponse:
    fine = not any(dependency.status == "failing" for dependency in found)
    health = Health(
        alive=True,
        ok=fine,
        dependencies=tuple(found),
        overdue=tuple(overdue),
        expiring=tuple(expiring),
    )
    return answers.ok(health, status=200 if fine else 503)
