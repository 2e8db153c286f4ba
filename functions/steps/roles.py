"""Assigns the directory role: guide steps 27 to 30 of Devolutions Server, and their like."""

from shared.advising import advised, note_advice
from shared.errors import NeedsHuman
from shared.granting import note_given
from shared.membership import join
from shared.model.connection import Aspect
from shared.model.directory import RoleAssignment
from shared.planning.access import ROLE_MARK, plan_access
from shared.planning.risk import require_approval
from shared.step import Done, Work, step


@step(Aspect.ROLE_ASSIGNED)
async def roles(work: Work) -> Done | None:
    """Assign the directory roles that the features need to the service principal."""
    access = plan_access(work.profile, work.connection.spec, work.connection.advice)
    require_approval(access, work.connection.approval)
    ids = {name: await _role_id(work, name) for name in access.roles}
    for name, role_id in ids.items():
        await _ensure(work, name, role_id)
    extra = await _clear(work, frozenset(ids.values())) + await join(work)
    if not access.roles:
        return Done("NOT_WANTED", "No directory role is needed for the chosen features." + extra)
    if await note_advice(work, access.roles):
        return None  # assigned, but the accounts in scope need a higher one: that is noted
    text = f"Assigned and confirmed: {', '.join(access.roles)}.{advised(work)}{extra}"
    return Done("ASSIGNED", text)


async def _ensure(work: Work, name: str, role_id: str) -> None:
    """Give one role unless it is held; the note of having given it comes first."""
    principal_id = work.connection.facts.principal_id
    if role_id not in {a.role_id for a in await _everywhere(work)}:
        await note_given(work, add=(ROLE_MARK + role_id,))
        await work.ctx.roles.assign(principal_id, role_id)
        await work.record("role.assigned", role=name, principal=principal_id)
    shown = await work.ctx.roles.settled_assignment(principal_id, role_id)
    if shown is None:
        raise work.wait(
            "ROLE_NOT_FOUND_FLAP",
            f"{name} is assigned, but not every replica shows it yet.",
            seconds=5,
            minutes=5,
        )
    if shown.principal_type not in ("", "ServicePrincipal"):
        raise NeedsHuman(
            "ROLE_WRONG_PRINCIPAL",
            f"{name} is assigned to the {shown.principal_type} {principal_id}, not to the "
            "application's service principal.",
            "Remove that assignment, then send the same request again.",
        )


async def _clear(work: Work, wanted: frozenset[str]) -> str:
    """Take away roles that Keyturn gave and nobody wants now; a sentence on those of others."""
    ours = await _given(work)
    foreign = []
    for assignment in await work.ctx.roles.assigned(work.connection.facts.principal_id):
        if assignment.everywhere and assignment.role_id in wanted:
            continue
        if assignment.everywhere and assignment.role_id in ours:
            await work.ctx.roles.unassign(assignment)
            await work.record("role.removed", role=assignment.role_id, assignment=assignment.id)
        else:
            foreign.append(assignment)
    if gone := ours - wanted:
        await note_given(work, drop={ROLE_MARK + role_id for role_id in gone})
    if not foreign:
        return ""
    names = await work.ctx.roles.names()
    told = ", ".join(sorted(_told(assignment, names) for assignment in foreign))
    return f" Also held, not given by Keyturn and left alone: {told}."


def _told(assignment: RoleAssignment, names: dict[str, str]) -> str:
    name = names.get(assignment.role_id, assignment.role_id)
    return name if assignment.everywhere else f"{name} (only in {assignment.scope})"


async def _everywhere(work: Work) -> list[RoleAssignment]:
    assigned = await work.ctx.roles.assigned(work.connection.facts.principal_id)
    return [assignment for assignment in assigned if assignment.everywhere]


async def _given(work: Work) -> frozenset[str]:
    """Ids of the roles that Keyturn gave, read anew: this step changes them as it goes."""
    known = await work.ctx.ledger.connection(work.connection.spec.name)
    given = known.given if known else ()
    return frozenset(mark.removeprefix(ROLE_MARK) for mark in given if mark.startswith(ROLE_MARK))


async def _role_id(work: Work, name: str) -> str:
    role_id = await work.ctx.roles.role_id(name)
    if role_id is None:
        raise NeedsHuman(
            "ROLE_UNKNOWN",
            f"The tenant has no directory role {name}.",
            "Correct the role's name in the profile.",
        )
    return role_id
