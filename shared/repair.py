"""Puts back what is missing, where a profile's drift policy says so; removes nothing.

Only what has been approved is granted, and only after a complete verification found it missing.
"""

from msgspec.structs import replace

from shared.errors import NeedsHuman
from shared.granting import grant_missing, note_given, read_grants
from shared.planning.access import ROLE_MARK
from shared.planning.application import CONFIGURED, NATIVE, PUBLIC_CLIENT, SPA, WEB, merged
from shared.planning.consent import lacking
from shared.planning.findings import REPAIRABLE
from shared.planning.risk import require_approval, uncovered
from shared.planning.verification import Evidence
from shared.step import Work
from shared.wanted import Wanted

REPAIR = "repair"
"""The drift policy of a profile that wants it."""


def is_repairing(work: Work, wants: Wanted) -> bool:
    """Whether what is missing may be put back: the policy wants it, and it was approved."""
    if work.profile.drift.policy != REPAIR:
        return False
    return not uncovered(wants.access, work.connection.approval)


async def repair(work: Work, wants: Wanted, evidence: Evidence, troubles: list[NeedsHuman]) -> None:
    """Raise `TryLater` after something was put back, to look again; return if nothing was.

    Raises `NeedsHuman` APPROVAL_PENDING when what is missing was never approved.
    """
    if work.profile.drift.policy != REPAIR:
        return
    if not any(found.code in REPAIRABLE for found in troubles):
        return
    require_approval(wants.access, work.connection.approval)
    done = [*await _grants(work, wants), *await _roles(work, evidence)]
    # Writes to the application need its ownership, and keep their distance.
    done += await _owners(work, evidence) or await _registration(work, evidence)
    if done:
        await work.record("drift.repaired", put_back=done)
        raise work.wait(troubles[0].code, f"Put back: {', '.join(done)}.", seconds=10)


async def _owners(work: Work, evidence: Evidence) -> list[str]:
    """One at a time: the next write to the application waits its time.

    Without owning it, the automation can add itself only where it may write every application.
    """
    owners, there = evidence.owners, evidence.application
    missing = [owners.own] if owners.own_missing else []
    missing += owners.missing
    if there is None or not missing:
        return []
    work.turn.before_write()
    await work.ctx.applications.add_owner(there.object_id, missing[0])
    work.turn.after_write()
    await work.record("application.owned", object_id=there.object_id, owner=missing[0])
    return [f"owner {missing[0]}"]


async def _registration(work: Work, evidence: Evidence) -> list[str]:
    """The wanted registration, with everything that is there besides left as it is."""
    there, wanted = evidence.application, evidence.wanted
    if there is None:
        return []
    union = merged(replace(wanted, adopts=wanted.adopts or there.client_id), there)
    put_back = [name for name in PARTS if getattr(union, name) != getattr(there, name)]
    if put_back:
        work.turn.before_write()
        await work.ctx.applications.update(there.object_id, union)
        work.turn.after_write()
    return [PARTS[name] for name in put_back]


PARTS = {
    "public_client": PUBLIC_CLIENT,
    "web_redirects": WEB,
    "native_redirects": NATIVE,
    "spa_redirects": SPA,
    "configured": CONFIGURED,
}
"""What may be put back on a registration: an audience that was widened is no lack."""


async def _grants(work: Work, wants: Wanted) -> list[str]:
    granted, delegated = await read_grants(work)
    missing = lacking(wants.permissions, wants.resources, granted, delegated)
    if missing:
        await grant_missing(work, wants.resources, missing, delegated)
    return [permission.name for permission in missing]


async def _roles(work: Work, evidence: Evidence) -> list[str]:
    for name in evidence.roles_missing:
        role_id = await work.ctx.roles.role_id(name)
        if role_id is not None:
            await note_given(work, add=(ROLE_MARK + role_id,))
            await work.ctx.roles.assign(work.connection.facts.principal_id, role_id)
    return list(evidence.roles_missing)
