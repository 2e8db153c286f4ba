"""Starting operations of connections; repeats join what is going on."""

import hashlib
from datetime import datetime, timedelta

from shared import operations
from shared.context import Context
from shared.model.connection import Connection, Operation, Status, Value
from shared.onboarding.rejected import Rejected, busy, find, in_the_way
from shared.planning.discovery import is_wanted
from shared.planning.lifetime import rotated_elsewhere
from shared.profile import catalogue
from shared.telling import recorded

SEND_AGAIN_AFTER = timedelta(minutes=2)
"""A repeated request need not wait for the sweep of stuck operations; a second message does no
harm, as steps notice what is done."""


REQUESTED = "operation.requested"


class Onboarding(Value, frozen=True):
    """What came of a request to onboard; not *fresh* when it was being done already."""

    operation: Operation
    fresh: bool


async def run(  # noqa: PLR0913 - what, by whom, and why
    ctx: Context,
    name: str,
    kind: str,
    operation: str,
    *,
    asked_by: str,
    principal: str = "",
    reason: str = "requested",
    options: tuple[str, ...] = (),
) -> Operation:
    """Start an operation of a connection that has been onboarded, and note who asks for it."""
    connection = await find(ctx, name)
    known = await ctx.ledger.operation(name, operation)
    if known is not None and known.state != "running":
        return known
    if not connection.facts.object_id:
        raise await in_the_way(ctx, name) or Rejected(
            "connection",
            "NOT_ONBOARDED",
            f"{name} has no application in the tenant yet",
            "send its onboarding request again and wait until it has succeeded",
        )
    if kind == "discover" and not _scans(connection):
        raise Rejected(
            "connection",
            "FEATURE_OFF",
            f"{name} was onboarded without discovery, by its profile or its features",
            "onboard a connection with discovery",
        )
    if kind == "rotate":
        require_ours(connection)
    started = await operations.start(
        ctx, name, kind, operation, asked_by=asked_by, reason=reason, options=options
    )
    if started is None:
        raise await in_the_way(ctx, name) or busy(name, "")
    if known is None or not await recorded(ctx, name, REQUESTED, operation=operation):
        data = {"operation": operation, "kind": kind, "reason": reason}
        data |= {"by": asked_by, "principal": principal}
        await ctx.ledger.record(name, ctx.clock.now(), REQUESTED, data)
    return started


def require_ours(connection: Connection) -> None:
    """Raise `Rejected` FEATURE_OFF where there is no secret for us to rotate."""
    profile = catalogue().get(connection.spec.profile)
    if profile and (why := rotated_elsewhere(profile, connection.spec)):
        raise Rejected(
            "connection",
            "FEATURE_OFF",
            f"{connection.spec.name} is not rotated by Keyturn: {why}",
            "rotate it where it is kept; POST .../verification shows what Keyturn sees of it",
        )


def _scans(connection: Connection) -> bool:
    profile = catalogue().get(connection.spec.profile)
    return profile is not None and is_wanted(profile.discovery, connection.spec.features)


async def start_onboarding(
    ctx: Context, connection: Connection, *, asked_by: str, operation: str
) -> Onboarding:
    name = connection.spec.name
    runs = [run for run in await ctx.ledger.operations(name) if run.kind == "onboard"]
    same = next((run for run in runs if run.id == operation), None)
    # Those before belong to an offboarded connection of the same name.
    runs = [run for run in runs if run.started >= connection.created]
    if same is not None and same.state != "running":
        return Onboarding(operation=same, fresh=False)
    latest = max(runs, key=lambda run: run.started, default=None)
    if same is None and latest is not None and latest.state == "running":
        if not (_seems_unsent(latest, ctx.clock.now()) or await operations.unsent(ctx, latest)):
            return Onboarding(operation=latest, fresh=False)
        same = latest
    # Something that broke since is put right, as the remedies promise.
    broken = any(held.status == Status.FALSE for held in connection.conditions)
    fits = not (connection.changed and latest and latest.started <= connection.changed)
    if same is None and latest is not None and latest.state == "succeeded" and fits and not broken:
        return Onboarding(operation=latest, fresh=False)
    started = await operations.start(
        ctx,
        name,
        "onboard",
        same.id if same else operation or _next_id(connection, len(runs)),
        asked_by=asked_by,
        reason="requested",
    )
    if started is not None:
        return Onboarding(operation=started, fresh=started.state == "running")
    return await _joined(ctx, name)


def _seems_unsent(latest: Operation, now: datetime) -> bool:
    """Whether it never moved: its first message may have been lost between ledger and queue."""
    unmoved = latest.state == "running" and latest.changed == latest.started
    return unmoved and now - latest.changed > SEND_AGAIN_AFTER


async def _joined(ctx: Context, name: str) -> Onboarding:
    """Somebody else's operation was begun first: join it when it is an onboarding."""
    connection = await find(ctx, name)
    flight = await ctx.ledger.operation(name, connection.operation)
    if flight is not None and flight.kind == "onboard":
        return Onboarding(operation=flight, fresh=False)
    raise busy(name, connection.operation)


def _next_id(connection: Connection, attempts: int) -> str:
    """The same for every repeat of a request, until the attempt has ended."""
    parts = (connection.spec.name, connection.created.isoformat(), str(attempts))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]
