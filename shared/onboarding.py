"""Creating connections and starting their operations: one way, for HTTP and queue alike."""

import hashlib
from datetime import datetime, timedelta

import msgspec

from shared import operations
from shared.context import Context
from shared.model.connection import (
    Approval,
    Aspect,
    Connection,
    Operation,
    RoleAdvice,
    Spec,
    Status,
    Value,
)
from shared.planning.access import plan_access
from shared.planning.discovery import is_wanted
from shared.planning.lifetime import rotated_elsewhere
from shared.planning.risk import high_risk
from shared.profile import catalogue
from shared.requests import Problem, Request

APPROVAL_PENDING = "APPROVAL_PENDING"
"""Reason of a condition that waits for somebody's approval."""


SEND_AGAIN_AFTER = timedelta(minutes=2)
"""A repeated request need not wait for the sweep of stuck operations; a second message does no
harm, as steps notice what is done."""


class Rejected(Exception):
    """A valid request that the connection's state does not allow."""

    def __init__(self, field: str, code: str, message: str, hint: str, operation: str = "") -> None:
        super().__init__(message)
        self.problem = Problem(field=field, code=code, message=message, hint=hint)
        self.operation = operation  # the one that is in the way


class Onboarding(Value, frozen=True):
    """What came of a request to onboard; not *fresh* when it was being done already."""

    operation: Operation
    fresh: bool


async def find(ctx: Context, name: str) -> Connection:
    connection = await ctx.ledger.connection(name)
    if connection is None:
        raise Rejected(
            "connection",
            "CONNECTION_UNKNOWN",
            f"there is no connection {name}",
            "onboard it first, or list the known ones with GET /api/connections",
        )
    return connection


async def onboard(
    ctx: Context, request: Request, *, asked_by: str, operation: str = ""
) -> Onboarding:
    """Create the connection and start its onboarding, or join the one that is going on.

    Repeating it is safe from any point of a crash. Without an *operation* id, repeats of a
    request derive the same one, so that two at once start one operation; after an attempt
    that needed attention they derive the next, which is how people try again.
    """
    now, wanted = ctx.clock.now(), request.spec
    approval = request.approval and _given(ctx, request.approval, wanted, asked_by)
    created = await ctx.ledger.create(Connection(spec=wanted, created=now, approval=approval))
    connection = await find(ctx, wanted.name)
    if connection.spec != wanted:
        raise _name_taken(connection.spec, wanted)
    if created:
        data = {"profile": wanted.profile, "features": wanted.features, "by": asked_by}
        await ctx.ledger.record(wanted.name, now, "connection.requested", data)
    if approval and (created or _differs(connection.approval, approval)):
        connection = await _store_approval(ctx, connection, approval, asked_by)
    return await _start_onboarding(ctx, connection, asked_by=asked_by, operation=operation)


async def run(
    ctx: Context,
    name: str,
    kind: str,
    operation: str,
    *,
    asked_by: str,
    reason: str = "requested",
) -> Operation:
    """Start an operation of a connection that has been onboarded."""
    connection = await find(ctx, name)
    known = await ctx.ledger.operation(name, operation)
    if known is not None and known.state != "running":
        return known
    if not connection.facts.object_id:
        raise await _in_the_way(ctx, name) or Rejected(
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
    profile = catalogue().get(connection.spec.profile)
    if kind == "rotate" and profile and (why := rotated_elsewhere(profile, connection.spec)):
        raise Rejected(
            "connection",
            "FEATURE_OFF",
            f"{name} is not rotated by Keyturn: {why}",
            "rotate it where it is kept; POST .../verification shows what Keyturn sees of it",
        )
    started = await operations.start(ctx, name, kind, operation, asked_by=asked_by, reason=reason)
    if started is None:
        raise await _in_the_way(ctx, name) or _busy(name, "")
    return started


def _scans(connection: Connection) -> bool:
    profile = catalogue().get(connection.spec.profile)
    return profile is not None and is_wanted(profile.discovery, connection.spec.features)


async def approve(
    ctx: Context, name: str, approval: Approval, *, asked_by: str
) -> Onboarding | None:
    """Store an approval; an onboarding that waits for it starts again."""
    known = await find(ctx, name)
    given = _given(ctx, approval, known.spec, asked_by, known.advice)
    await _store_approval(ctx, known, given, asked_by)
    connection = await find(ctx, name)  # anew: a step may have stopped for want of it just now
    if not waits_for_approval(connection):
        return None
    return await _start_onboarding(ctx, connection, asked_by=asked_by, operation="")


def waits_for_approval(connection: Connection) -> bool:
    held = (connection.condition(Aspect.CONSENTED), connection.condition(Aspect.ROLE_ASSIGNED))
    return any(
        condition is not None
        and condition.status == Status.FALSE
        and condition.reason == APPROVAL_PENDING
        for condition in held
    )


async def _start_onboarding(
    ctx: Context, connection: Connection, *, asked_by: str, operation: str
) -> Onboarding:
    name = connection.spec.name
    runs = [run for run in await ctx.ledger.operations(name) if run.kind == "onboard"]
    same = next((run for run in runs if run.id == operation), None)
    if same is not None and same.state != "running":
        return Onboarding(operation=same, fresh=False)
    latest = max(runs, key=lambda run: run.started, default=None)
    if same is None and latest is not None and latest.state == "running":
        if not (_seems_unsent(latest, ctx.clock.now()) or await operations.unsent(ctx, latest)):
            return Onboarding(operation=latest, fresh=False)
        same = latest
    # Something that broke since is put right, as the remedies promise.
    broken = any(held.status == Status.FALSE for held in connection.conditions)
    if same is None and latest is not None and latest.state == "succeeded" and not broken:
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
    raise _busy(name, connection.operation)


def _next_id(connection: Connection, attempts: int) -> str:
    """The same for every repeat of a request, until the attempt has ended."""
    parts = (connection.spec.name, connection.created.isoformat(), str(attempts))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def _given(
    ctx: Context, approval: Approval, spec: Spec, asked_by: str, advice: RoleAdvice | None = None
) -> Approval:
    """The approval with its date, and with what it is for."""
    profile = catalogue().get(spec.profile)
    covers = high_risk(plan_access(profile, spec, advice)) if profile else ()
    return Approval(
        by=approval.by or asked_by, reason=approval.reason, at=ctx.clock.now(), covers=covers
    )


async def _store_approval(
    ctx: Context, connection: Connection, approval: Approval, asked_by: str
) -> Connection:
    name, now = connection.spec.name, ctx.clock.now()
    carrying = msgspec.structs.replace(connection, approval=approval)
    await ctx.ledger.amend(carrying.spec.name, approval=carrying.approval)
    data = {
        "by": approval.by,
        "reason": approval.reason,
        "covers": approval.covers,
        "asked_by": asked_by,
    }
    await ctx.ledger.record(name, now, "approval.given", data)
    return carrying


def _differs(known: Approval | None, given: Approval) -> bool:
    if known is None:
        return True
    return (known.by, known.reason, known.covers) != (given.by, given.reason, given.covers)


async def _in_the_way(ctx: Context, name: str) -> Rejected | None:
    connection = await find(ctx, name)
    flight = await ctx.ledger.operation(name, connection.operation)
    if flight is None or flight.state != "running":
        return None
    return _busy(name, flight.id)


def _busy(name: str, operation: str) -> Rejected:
    return Rejected(
        "connection",
        "OPERATION_RUNNING",
        f"{name} has an operation in flight: {operation or 'one that just began'}",
        "send it again when that operation has ended",
        operation,
    )


def _name_taken(known: Spec, wanted: Spec) -> Rejected:
    differing = [
        field
        for field in ("profile", "features", "inputs", "owner", "accept_swaps")
        if getattr(known, field) != getattr(wanted, field)
    ]
    return Rejected(
        "name",
        "NAME_TAKEN",
        f"{wanted.name} exists and differs in {', '.join(differing)}",
        "choose another name, or send what the connection was made with",
    )
