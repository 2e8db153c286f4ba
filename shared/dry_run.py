"""Makes the plan of an onboarding: reads the tenant as far as it may, and writes nothing."""

from shared.context import Context
from shared.errors import NeedsHuman
from shared.model.connection import Connection
from shared.model.profile import Profile
from shared.planning.access import plan_access
from shared.planning.need import unmet
from shared.planning.plan import make_plan
from shared.planning.plan_parts import Plan
from shared.planning.preflight import Finding, findings
from shared.planning.privileges import REGISTER, needs
from shared.preflight import gather

UNCHECKED = Finding(
    code="NOT_CHECKED",
    message="This app's identity is not the automation's: its rights are compared with what is "
    "needed by the worker, before the first write.",
    remedy="Nothing need be done.",
    blocking=False,
)


async def dry_run(
    ctx: Context, profile: Profile, connection: Connection, besides: tuple[Finding, ...] = ()
) -> Plan:
    """The plan for *connection*, stored or not; raises `NeedsHuman` SCOPE_UNKNOWN."""
    access = plan_access(profile, connection.spec, connection.advice)
    wanted = needs(profile, connection.spec, access)
    own = await seen_rights(ctx) is not None
    seen = await gather(ctx, profile, connection, access, wanted, own=own)
    found = (*besides, *findings(profile, connection.spec, access, wanted, seen))
    if not own:
        found = (*found, UNCHECKED)
    return make_plan(profile, connection, access, wanted, seen, found)


async def seen_rights(ctx: Context) -> frozenset[str] | None:
    """What the automation's identity may do; None where this app's identity is not that one.

    The front door of a deployment may not write to the tenant, and cannot see what the worker may.
    """
    try:
        own = await ctx.directory.own_roles()
    except NeedsHuman:
        return None
    return None if unmet([REGISTER], own) else own
