"""Assigns the directory role: guide steps 27 to 30 of Devolutions Server, and their like."""

from shared.errors import NeedsHuman
from shared.model.connection import Aspect
from shared.planning.access import plan_access
from shared.planning.risk import require_approval
from shared.step import Done, Work, step


@step(Aspect.ROLE_ASSIGNED)
async def roles(work: Work) -> Done:
    """Assign the directory roles that the features need to the service principal."""
    access = plan_access(work.profile, work.connection.spec)
    if not access.roles:
        return Done("NOT_WANTED", "No directory role is needed for the chosen features.")
    require_approval(access, work.connection.approval)
    principal_id = work.connection.facts.principal_id
    ids = {name: await _role_id(work, name) for name in access.roles}
    held = {a.role_id for a in await work.ctx.roles.assigned(principal_id) if a.scope == "/"}
    for name, role_id in ids.items():
        if role_id not in held:
            await work.ctx.roles.assign(principal_id, role_id)
            await work.record("role.assigned", role=name, principal=principal_id)
        if not await work.ctx.roles.settled_assignment(principal_id, role_id):
            raise work.wait(
                "ROLE_REPLICATION", f"{name} is assigned but not yet listed.", seconds=5, minutes=5
            )
    return Done("ASSIGNED", f"Assigned and confirmed: {', '.join(access.roles)}.")


async def _role_id(work: Work, name: str) -> str:
    role_id = await work.ctx.roles.role_id(name)
    if role_id is None:
        raise NeedsHuman(
            "ROLE_UNKNOWN",
            f"The tenant has no directory role {name}.",
            "Correct the role's name in the profile.",
        )
    return role_id
