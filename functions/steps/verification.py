"""Checks that the connection still is what its profile says: guide steps 19 and 26."""

from collections.abc import Sequence
from datetime import timedelta

from shared.aging import watch_age
from shared.checks import check
from shared.errors import NeedsHuman
from shared.evidence import gather
from shared.findings import note_findings
from shared.model.connection import Aspect
from shared.model.finding import Finding
from shared.model.profile import Profile
from shared.planning.consent import Verdict
from shared.planning.credentials import HEALED_BY_ROTATION
from shared.planning.drift import besides
from shared.planning.lifetime import policy_of
from shared.planning.observed import is_complete, observe
from shared.planning.sign_in import NOT_YET_ACTIVE
from shared.planning.strays import mention
from shared.planning.verification import Evidence, find_troubles, told
from shared.repair import is_repairing, repair
from shared.step import BELIEVED, Done, Work, step
from shared.surplus import remove_approved
from shared.wanted import Wanted, wanted

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
        if any(found.code == NOT_YET_ACTIVE for found in troubles):
            raise work.wait(NOT_YET_ACTIVE, told(troubles).message, seconds=30)
        problem = work.doubt(told(troubles))
        if isinstance(problem, NeedsHuman):
            await _act(work, wants, evidence, troubles)
        raise problem
    findings = await note_findings(work, observe(evidence))
    if evidence.young:
        await work.ctx.ledger.set_due("verify", name, now + BELIEVED * work.ctx.pace)
    warnings = await check(work, secret)
    await work.ctx.ledger.amend(name, verified=now)
    text = _good(work.profile, evidence, granted, roles)
    return Done("VERIFIED", text + _accepted(findings) + warnings + ending)


async def _act(work: Work, wants: Wanted, evidence: Evidence, troubles: list[NeedsHuman]) -> None:
    """What has lasted is kept as findings; then what a policy or a person wants done about it."""
    findings = await note_findings(
        work,
        observe(evidence),
        complete=is_complete(evidence),
        repairing=is_repairing(work, wants),
    )
    await repair(work, wants, evidence, troubles)
    await remove_approved(work, wants, findings)
    await _heal(work, troubles)


def _accepted(findings: Sequence[Finding]) -> str:
    """A sentence on what an approver has accepted, and for how long."""
    told = [
        f"{f.name} by {f.decision.by}" + (f" until {f.decision.until}" if f.decision.until else "")
        for f in findings
        if f.decision is not None
    ]
    return f" Accepted: {', '.join(told)}." if told else ""


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
    more = besides(evidence.judged, [role.told for role in evidence.roles_extra])
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
