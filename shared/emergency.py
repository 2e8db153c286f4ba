"""Replaces a published secret that others may know: up to the publication of the new one."""

from datetime import timedelta

from msgspec.structs import replace

from shared.errors import NeedsHuman, StepError
from shared.ladder import carry_out, gather, name_of
from shared.mirror import mirror
from shared.planning.credential_parts import Ask, Facts, Halt, Published, Purge, Readmit
from shared.planning.emergency import DISABLE, plan_emergency
from shared.planning.lifetime import Policy
from shared.publication import note
from shared.retiring import take_out
from shared.step import Done, Work

ROUNDS = 12
HOURLY = timedelta(hours=1)

HALTED = (
    " Sign-in of the service principal stays disabled: an emergency rotation with disable_sign_in "
    "enables it when it has removed the old secrets; so can a person."
)


async def replace_secret(work: Work, policy: Policy) -> Done:
    """Have another secret published; with `disable_sign_in` the old ones are removed first."""
    try:
        return await _climb(work, policy)
    except StepError as error:
        problem = work.final(error)
        if problem is None:
            raise
        raise await _told(work, problem) from error


async def _climb(work: Work, policy: Policy) -> Done:
    verified = False
    for _ in range(ROUNDS):
        facts = await _gather(work, verified=verified)
        action = plan_emergency(
            policy,
            facts,
            work.options,
            name=name_of(work),
            operation=work.message.operation,
            registered=work.connection.facts.registered or work.connection.created,
            now=work.ctx.clock.now(),
        )
        match action:
            case Published():
                await note(work, replace(policy, overlap=timedelta(0)), facts)
                await mirror(work)
                return Done("READY", "Another secret is published; the old ones are removed next.")
            case Halt():
                verified = False  # what was proven before says nothing of the time after
                await _sign_in(work, enabled=False)
            case Readmit():
                await _sign_in(work, enabled=True)
            case Purge(key_id=key_id):
                await take_out(work, key_id, why="emergency")
            case Ask(code=code, message=message, remedy=remedy):
                # Its facts are marks of ours, which no replica can be behind with.
                now = work.ctx.clock.now()
                await work.ctx.ledger.set_due("rotate", work.connection.spec.name, now + HOURLY)
                raise NeedsHuman(code, message, remedy)
            case other:
                verified = await carry_out(work, facts, other) or verified
    raise work.wait("CREDENTIAL_UNSETTLED", "The secrets keep changing under our hands.", seconds=5)


async def _gather(work: Work, *, verified: bool) -> Facts:
    facts = await gather(work, verified=verified)
    if DISABLE not in work.options:
        return facts
    principal = await work.ctx.applications.principal(work.connection.facts.client_id)
    if principal is None:
        raise work.wait("SP_REPLICATION", "The service principal is not visible.", seconds=5)
    return replace(facts, sign_in=principal.enabled)


async def _sign_in(work: Work, *, enabled: bool) -> None:
    """Everything else of the service principal stays as it is."""
    applications, client_id = work.ctx.applications, work.connection.facts.client_id
    await applications.allow_sign_in(client_id, allowed=enabled)
    await work.record("principal.enabled" if enabled else "principal.disabled", why="emergency")


async def _told(work: Work, problem: NeedsHuman) -> NeedsHuman:
    """Whoever reads of the failure also reads that nobody can sign in."""
    if DISABLE not in work.options:
        return problem
    principal = await work.ctx.applications.principal(work.connection.facts.client_id)
    if principal is None or principal.enabled:
        return problem
    return NeedsHuman(problem.code, problem.message + HALTED, problem.remedy)
