"""An app looks at everything that it needs, as it is with its own identity and settings."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Protocol, runtime_checkable

from shared import telemetry
from shared.context import Context
from shared.errors import NeedsHuman, StepError
from shared.model.checkup import FAILING, OK, UNCHECKED, WARNING, Dependency, Report
from shared.planning.identities import missing, superfluous

PATIENCE = 20.0
"""Seconds that a dependency has to answer."""

SKEW = timedelta(minutes=2)
"""Tokens are refused from five minutes on; a healthy clock is right to a second."""

PROBE = "health-probe"
"""Name of a connection and secret that need not exist: absence is an answer."""

Probe = Callable[[], Awaitable[object]]

ROLES = "see infra/modules/access.bicep; `azd provision` assigns them, which takes minutes to work"

REMEDIES = {
    "ledger": f"make the tables (azd provision) and give the identity its rights on them: {ROLES}",
    "accounts": f"make the container `accounts`, and give the identity its right on it: {ROLES}",
    "imports": f"make the container `imports`, and give the identity its right on it: {ROLES}",
    "vault": f"give the worker Key Vault Secrets Officer on the vault: {ROLES}",
    "service bus": f"make the queues that are named, and give the identity its right: {ROLES}",
    "graph": "follow the message; docs/deployment.md names the permissions",
    "clock": "the platform sets the clock: restart the app, and report it if it stays so",
    "permissions": "have a Privileged Role Administrator run `python -m deploy permissions`, then "
    "restart the app",
}


@runtime_checkable
class Checkable(Protocol):
    """A part that can look at all that it uses without changing anything."""

    async def check(self) -> None: ...


async def look(ctx: Context) -> Report:
    """Ask everything at once; what does not answer in time is failing."""
    probes = _probes(ctx)
    asked = (_try(name, probe) for name, probe in probes.items())
    found = await asyncio.gather(*asked, _rights(ctx), _clock(ctx))
    return Report(app=ctx.app, at=ctx.clock.now(), dependencies=tuple(found))


def _probes(ctx: Context) -> dict[str, Probe | None]:
    """A harmless read of each; None where there is none."""
    probes: dict[str, Probe | None] = {
        "ledger": _checked(ctx.ledger, lambda: ctx.ledger.connection(PROBE)),
        "accounts": _checked(ctx.account_store, None),
        "imports": _checked(ctx.import_store, lambda: ctx.import_store.summaries(PROBE)),
        "vault": lambda: ctx.vault.current(PROBE),
        "service bus": _checked(ctx.outbox, None),
        "graph": ctx.directory.tenant,
    }
    if ctx.app == "front":  # it has no role on the vault, and must not have one
        del probes["vault"]
    return probes


def _checked(part: object, otherwise: Probe | None) -> Probe | None:
    return part.check if isinstance(part, Checkable) else otherwise


async def _try(name: str, probe: Probe | None) -> Dependency:
    if probe is None:
        return Dependency(name=name, status=UNCHECKED, message="it offers no harmless read")
    try:
        async with asyncio.timeout(PATIENCE):
            await probe()
    except Exception as error:  # noqa: BLE001 - a bug in one must not hide the others
        return failing(name, error)
    return Dependency(name=name, status=OK)


def failing(name: str, error: Exception) -> Dependency:
    """Tell what our adapters say; of anything else only the kind, as its text may hold values."""
    said = f"{error.code}: {error.message}" if isinstance(error, StepError) else ""
    telemetry.event("dependency.failed", dependency=name, error=type(error).__name__)
    remedy = error.remedy if isinstance(error, NeedsHuman) and name == "graph" else ""
    return Dependency(
        name=name,
        status=FAILING,
        message=said or type(error).__name__,
        remedy=remedy or REMEDIES.get(name, "look into the log of the app"),
    )


async def _rights(ctx: Context) -> Dependency:
    """What the identity's token holds, compared with the one list of it."""
    name = "permissions"
    try:
        async with asyncio.timeout(PATIENCE):
            held = await ctx.directory.own_roles(fresh=True)
    except Exception as error:  # noqa: BLE001 - a bug in one must not hide the others
        return failing(name, error)
    apps = (ctx.app,) if ctx.app else ("front", "worker")
    lacking = {right.permission: right for app in apps for right in missing(app, held)}
    grave = [right.permission for right in lacking.values() if not right.optional]
    extra = set.intersection(*({*superfluous(app, held)} for app in apps))
    told = [f"missing: {', '.join(sorted(grave))}"] if grave else []
    told += [
        f"missing, needed for {right.needed}: {right.permission}"
        for right in lacking.values()
        if right.optional
    ]
    told += [f"superfluous: {', '.join(sorted(extra))} (--prune takes it away)"] if extra else []
    status = FAILING if grave else WARNING if told else OK
    remedy = REMEDIES[name] if told else ""
    return Dependency(name=name, status=status, message="; ".join(told), remedy=remedy)


async def _clock(ctx: Context) -> Dependency:
    """The app's clock, compared with that of the authority that dates its tokens."""
    try:
        async with asyncio.timeout(PATIENCE):
            theirs = await ctx.tokens.authority_time()
    except Exception as error:  # noqa: BLE001 - a bug in one must not hide the others
        return failing("clock", error)
    skew = round((ctx.clock.now() - theirs).total_seconds())
    if abs(skew) <= SKEW.total_seconds():
        return Dependency(name="clock", status=OK)
    side = "ahead of" if skew > 0 else "behind"
    message = f"{abs(skew)} seconds {side} the authority's"
    return Dependency(name="clock", status=FAILING, message=message, remedy=REMEDIES["clock"])


def settings_missing(message: str) -> Dependency:
    """Names settings, never their values."""
    return Dependency(
        name="settings",
        status=FAILING,
        message=message,
        remedy="set what is named on the app (azd provision does), then restart it",
    )
