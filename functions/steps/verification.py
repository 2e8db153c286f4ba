"""Checks that the connection still is what its profile says: guide steps 19 and 26."""

from datetime import timedelta

from shared.aging import watch_age
from shared.checks import check
from shared.errors import NeedsHuman
from shared.evidence import gather
from shared.model.connection import Aspect
from shared.model.profile import Profile
from shared.planning.consent import Verdict
from shared.planning.credentials import HEALED_BY_ROTATION
from shared.planning.drift import besides
from shared.planning.lifetime import policy_of
from shared.planning.strays import mention
from shared.planning.verification import Evidence, find_troubles, told
from shared.repair import repair
from shared.step import Done, Work, step
from shared.wanted import wanted

EVERY = timedelta(days=1)


@step(Aspect.VERIFIED)
async def verification(work: Work) -> Done:
    """Compare wanted, configured and granted, and sign in with the published secret."""
    name, now = work.connection.spec.name, work.ctx.clock.now()
    wants = await wanted(work)
    evidence, secret = await gather(work, wants)
    granted = tuple(j.name for j in evidence.judged if j.verdict != Verdict.MISSING)
    roles = tuple(r for r in evidence.roles_wanted if r not in evidence.roles_missing)
    await work.ctx.ledger.amend(name, granted=granted, roles=roles)
    await work.ctx.ledger.set_due("verify", name, now + EVERY)
    ending = await watch_age(work)
    if troubles := find_troubles(evidence):
        problem = work.doubt(told(troubles))
        if isinstance(problem, NeedsHuman):
            await repair(work, wants, evidence, troubles)
            await _heal(work, troubles)
        raise problem
    warnings = await check(work, secret)
    await work.ctx.ledger.amend(name, verified=now)
    return Done("VERIFIED", _good(work.profile, evidence, granted, roles) + warnings + ending)


def _good(
    profile: Profile, evidence: Evidence, granted: tuple[str, ...], roles: tuple[str, ...]
) -> str:
    text = (
        "There is no secret, and no token was tried"
        if evidence.sign_in is None
        else "Signed in with the published secret"
    )
    if not profile.credential.kept:
        text = "The federated credential is in place, and no token was tried as there is no secret"
    counted = f"{len(granted)} permissions and {len(roles)} roles are as the profile wants them."
    if not evidence.adopted:
        return f"{text}; {counted}"
    more = besides(evidence.judged, evidence.roles_extra)
    return f"{text}; {counted}{more}{mention(evidence.strays, evidence.now)}"


async def _heal(work: Work, troubles: list[NeedsHuman]) -> None:
    """A secret that is good for nothing is rotated with the next sweep.

    The first one is for the onboarding to make: only after the consent may a secret live.
    """
    if work.connection.credential is None:
        return
    if policy_of(work.profile, work.connection.spec).external:
        return
    if any(found.code in HEALED_BY_ROTATION for found in troubles):
        await work.ctx.ledger.set_due("rotate", work.connection.spec.name, work.ctx.clock.now())
