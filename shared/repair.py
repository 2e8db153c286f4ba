"""Puts back what is missing, where a profile's drift policy says so; removes nothing.

Only what has been approved is granted, and only after a complete verification found it missing.
"""

from msgspec.structs import replace

from shared.errors import NeedsHuman
from shared.granting import grant_missing, read_grants
from shared.planning.application import merged
from shared.planning.consent import lacking
from shared.planning.risk import require_approval
from shared.planning.verification import Evidence
from shared.step import Work
from shared.wanted import Wanted

REPAIRABLE = frozenset(
    {"CONSENT_MISSING", "CONSENT_DRIFT", "PERM_KIND", "ROLE_MISSING"}
    | {"PUBLIC_FLOW_OFF", "REDIRECT_MISMATCH"}
)
"""Findings that may mean that something is missing."""


async def repair(work: Work, wants: Wanted, evidence: Evidence, troubles: list[NeedsHuman]) -> None:
    """Raise `TryLater` after something was put back, to look again; return if nothing was.

    Raises `NeedsHuman` APPROVAL_PENDING when what is missing was never approved.
    """
    if work.profile.drift.policy != "repair":
        return
    if not any(found.code in REPAIRABLE for found in troubles):
        return
    require_approval(wants.access, work.connection.approval)
    done = [
        *await _registration(work, evidence),
        *await _grants(work, wants),
        *await _roles(work, evidence),
    ]
    if done:
        await work.record("drift.repaired", put_back=done)
        raise work.wait(troubles[0].code, f"Put back: {', '.join(done)}.", seconds=10)


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
    "public_client": "public client flows",
    "web_redirects": "web redirect URIs",
    "native_redirects": "native redirect URIs",
    "spa_redirects": "single-page redirect URIs",
    "configured": "configured permissions",
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
            await work.ctx.roles.assign(work.connection.facts.principal_id, role_id)
    return list(evidence.roles_missing)
