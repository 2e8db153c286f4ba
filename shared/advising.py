"""The role advisor at work: what the accounts in scope need, and whether the product has it."""

from msgspec.structs import replace

from shared import telemetry
from shared.errors import NeedsHuman, StepError
from shared.messages import trouble
from shared.model.connection import Aspect, Condition, RoleAdvice, Status
from shared.model.privilege import Held
from shared.planning.access import plan_access, reset_roles
from shared.planning.advice import advise as plan_advice
from shared.planning.advice import sentence, too_low
from shared.step import Work

TOO_LOW = "ROLE_TOO_LOW"


async def advise(work: Work) -> RoleAdvice | None:
    """Recompute the advice for the accounts of the latest finished discovery, and store it.

    Never fails: facts that cannot be read are named in the advice. None for a product that
    resets no passwords. The condition RoleAssigned becomes False when the role that the product
    has does not suffice, and True again when it does; the role itself is not changed here.
    """
    vendor, escalations = reset_roles(work.profile, work.connection.spec)
    name, before = work.connection.spec.name, work.connection.advice
    if not vendor:
        if before is not None:
            await work.ctx.ledger.amend(name, advice=None)
        return None
    try:
        advice = await _computed(work, vendor, escalations)
    except StepError as problem:
        telemetry.event("advice.unknown", reason=problem.code, why=problem.message)
        unknown = (f"who holds which role ({problem.code})",)
        known = before or plan_advice(vendor, escalations, {}, accounts=0, now=work.now)
        advice = replace(known, unknown=unknown)
    if before is None or replace(advice, at=before.at) != before:
        await work.record(
            "role.advised", proposed=advice.proposed, least=advice.least, blocked=advice.blocked
        )
    await work.ctx.ledger.amend(name, advice=advice)
    access = plan_access(work.profile, work.connection.spec, advice, work.connection.roles)
    await _judge(work, advice, access.roles)
    return advice


async def note_advice(work: Work, roles: tuple[str, ...]) -> bool:
    """Whether the advice that is on record finds *roles* too low; the condition then says so."""
    advice = _on_record(work)
    problem = too_low(advice, roles, work.connection.spec.name) if advice else None
    if problem is None:
        return False
    await _set(work, Status.FALSE, **trouble(problem))
    return True


def advised(work: Work) -> str:
    """The advice that is on record as a sentence; empty when there is none."""
    advice = _on_record(work)
    return f" {sentence(advice)}" if advice else ""


def _on_record(work: Work) -> RoleAdvice | None:
    resets = reset_roles(work.profile, work.connection.spec)[0]
    return work.connection.advice if resets else None


async def _computed(
    work: Work, vendor: tuple[str, ...], escalations: tuple[str, ...]
) -> RoleAdvice:
    privileges = await work.ctx.privileges.privileges()
    targets: dict[str, tuple[Held, ...]] = {}
    accounts = 0
    async for account in work.ctx.account_store.accounts(work.connection.spec.name):
        accounts += 1
        if held := privileges.held.get(account.id):
            targets[account.user_principal_name or account.id] = held
    return plan_advice(
        vendor,
        escalations,
        targets,
        accounts=accounts,
        now=work.now,
        unknown=privileges.unknown,
        before=work.connection.advice,
    )


async def _judge(work: Work, advice: RoleAdvice, roles: tuple[str, ...]) -> None:
    """Move the condition of the roles step, only from and to what the advice is about."""
    known = work.connection.condition(Aspect.ROLE_ASSIGNED)
    if known is None or not (known.status == Status.TRUE or known.reason == TOO_LOW):
        return
    problem = too_low(advice, roles, work.connection.spec.name)
    if problem is not None:
        if known.reason != TOO_LOW:  # before the condition: a crash in between tells it again
            await _tell(work, problem)
        await _set(work, Status.FALSE, **trouble(problem))
    elif known.reason == TOO_LOW and not advice.unknown:
        await _set(work, Status.TRUE, "ASSIGNED", sentence(advice))


async def _set(work: Work, status: Status, reason: str, message: str, remedy: str = "") -> None:
    known = work.connection.condition(Aspect.ROLE_ASSIGNED)
    since = known.since if known and known.status == status else work.ctx.clock.now()
    fresh = Condition(Aspect.ROLE_ASSIGNED, status, reason, message, since, remedy)
    if fresh != known:
        await work.ctx.ledger.set_condition(work.connection.spec.name, fresh)


async def _tell(work: Work, problem: NeedsHuman) -> None:
    data = {"operation": work.message.operation, **trouble(problem)}
    await work.announce("role.too_low", data, at=work.ctx.clock.now())
