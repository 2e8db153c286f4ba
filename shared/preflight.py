"""Looks up everything that must hold before the first write, and stops while something does not."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from shared.context import Context
from shared.errors import NeedsHuman
from shared.model.connection import Connection
from shared.model.credential import SecretRules
from shared.model.directory import GRAPH_APP_ID, Application
from shared.model.profile import Profile, fill
from shared.planning.access import Access, plan_access
from shared.planning.need import Need, unmet
from shared.planning.preflight import Finding, Gathered, findings, stop, told
from shared.planning.privileges import needs
from shared.planning.templates import profile_inputs
from shared.step import Work

T = TypeVar("T")

ADDING = frozenset({"Application.ReadWrite.All", "Directory.ReadWrite.All"})
"""With one of these the automation adds Microsoft's APIs to the tenant by itself."""


async def preflight(work: Work) -> None:
    """Before the first write of an onboarding: raise `NeedsHuman` naming all that is missing."""
    if work.message.kind != "onboard" or work.message.attempt > 1:
        return
    access = plan_access(work.profile, work.connection.spec, work.connection.advice)
    wanted = needs(work.profile, work.connection.spec, access)
    seen = await gather(work.ctx, work.profile, work.connection, access, wanted)
    found = findings(work.profile, work.connection.spec, access, wanted, seen)
    blocking = [finding.code for finding in found if finding.blocking]
    # The step itself says that the application to adopt is unknown: one read may be outdated.
    if set(blocking) == {"APP_NOT_FOUND"}:
        return
    if problem := stop(found):
        await work.record("preflight.stopped", found=blocking)
        raise problem


async def gather(
    ctx: Context,
    profile: Profile,
    connection: Connection,
    access: Access,
    wanted: tuple[Need, ...],
    *,
    own: bool = True,
) -> Gathered:
    """Read it all; with *own* false the identity at hand is not the one that will write."""
    refused: list[Finding] = []

    async def asked(reading: Awaitable[T | None]) -> T | None:
        try:
            return await reading
        except NeedsHuman as problem:
            refused.append(told(problem, blocking=own))
            return None

    apis = tuple(dict.fromkeys((GRAPH_APP_ID, *(p.resource for p in access.permissions))))
    credential = profile.credential
    adopts = _adopts(profile, connection)
    resources, tenant, held, rules, adopted = await asyncio.gather(
        asyncio.gather(*(asked(ctx.directory.resource(app_id)) for app_id in apis)),
        asked(ctx.directory.tenant()),
        asked(_own(ctx, wanted) if own else _nothing(frozenset[str])),
        asked(
            ctx.credentials.rules(credential.shape) if credential.kept else _nothing(SecretRules)
        ),
        asked(ctx.applications.of_client(adopts) if adopts else _nothing(Application)),
    )
    # What could not be asked about is not known to be absent.
    answered = not refused
    known = {app_id: api for app_id, api in zip(apis, resources, strict=True) if api}
    adding = bool(ADDING & held) if held else False
    lost = answered and bool(adopts) and adopted is None
    return Gathered(
        own=held,
        tenant=tenant,
        rules=rules,
        resources=known,
        absent=tuple(a for a in apis if a not in known) if answered and not adding else (),
        adopts=adopts,
        adopted=not lost,
        known=await asked(ctx.applications.identify(adopts)) if lost else None,
        refused=tuple(refused),
    )


async def _own(ctx: Context, wanted: tuple[Need, ...]) -> frozenset[str]:
    """Permissions of our own token; of a fresh one before something is said to be missing."""
    held = await ctx.directory.own_roles()
    if unmet([need for need in wanted if need.required], held):
        return await ctx.directory.own_roles(fresh=True)
    return held


async def _nothing(_type: type[T]) -> T | None:
    return None


def _adopts(profile: Profile, connection: Connection) -> str:
    values = profile_inputs(profile, connection.spec)
    return fill(profile.registration.existing, values).strip().lower()
