"""Requests to onboard."""

import msgspec

from shared.context import Context
from shared.model.connection import Connection, Spec
from shared.onboarding.approvals import differs, given, require_four_eyes, store
from shared.onboarding.rejected import Rejected, find
from shared.onboarding.starting import Onboarding, start_onboarding
from shared.requests import Request


async def onboard(
    ctx: Context, request: Request, *, asked_by: str, principal: str = "", operation: str = ""
) -> Onboarding:
    """Create the connection and start its onboarding, or join the one that is going on.

    Repeating it is safe from any point of a crash. Without an *operation* id, repeats of a
    request derive the same one, so that two at once start one operation; after an attempt
    that needed attention they derive the next, which is how people try again. *principal* is
    the caller's object id, where the platform vouches for one.
    """
    now, wanted = ctx.clock.now(), request.spec
    fresh = Connection(spec=wanted, created=now, requested_by=principal)
    if request.approval:
        known = _present(await ctx.ledger.connection(wanted.name))
        require_four_eyes(ctx, known.requested_by if known else principal, principal)
        approval = given(ctx, request.approval, known or fresh, asked_by, principal)
        fresh = msgspec.structs.replace(fresh, approval=approval)
    created = await ctx.ledger.create(fresh) or await _renew(ctx, fresh, operation)
    connection = await find(ctx, wanted.name)
    if connection.spec != wanted:
        raise _name_taken(connection.spec, wanted)
    if created:
        data = {"profile": wanted.profile, "features": wanted.features, "by": asked_by}
        data |= {"principal": principal, "after": msgspec.to_builtins(wanted)}
        await ctx.ledger.record(wanted.name, now, "connection.requested", data)
    if fresh.approval and (created or differs(connection.approval, fresh.approval)):
        connection = await store(ctx, connection, fresh.approval, asked_by)
    return await start_onboarding(ctx, connection, asked_by=asked_by, operation=operation)


def _present(known: Connection | None) -> Connection | None:
    """None for one that is offboarded: a request for its name begins anew."""
    if known is None or (known.offboarding and known.offboarding.finished):
        return None
    return known


async def _renew(ctx: Context, fresh: Connection, operation: str) -> bool:
    """Take up the name of an offboarded connection, except for a repeat of what made that one."""
    name = fresh.spec.name
    if operation and await ctx.ledger.operation(name, operation) is not None:
        return False
    return await ctx.ledger.renew(fresh)


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
        "choose another name, send what the connection was made with, or change it with PATCH",
    )
