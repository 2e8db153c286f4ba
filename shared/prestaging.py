"""Keeps the secret after the published one staged and proven, where the profile wants that."""

from datetime import timedelta

from shared import telemetry
from shared.errors import NeedsHuman
from shared.ladder import carry_out, gather, name_of
from shared.planning.credential_parts import Facts, Keep, Verify
from shared.planning.lifetime import Policy
from shared.planning.prestage import plan_next
from shared.step import Work

ROUNDS = 6
AGAIN = timedelta(days=1)
"""When a next secret is tried again that could not be made or proven."""

MADE = {
    "staged": " The next secret is staged and proven.",
    "full": " The next secret is made when the replaced one is retired.",
    "abandoned": (
        " The next secret could not be verified and was removed: it is tried again tomorrow."
    ),
}


async def have_next(work: Work, policy: Policy) -> str:
    """A sentence about the next secret; empty where the profile wants none.

    What goes wrong with it does not make the published one any worse: it is told, and tried
    again. Raises `TryLater` only.
    """
    if not policy.prestage or policy.external:
        return ""
    try:
        why = await _climb(work, policy)
    except NeedsHuman as problem:
        await _again(work)
        await work.record("next.failed", why=problem.code, message=problem.message)
        return f" There is no next secret: {problem.message} ({problem.code})"
    if why == "abandoned":
        await _again(work)
    else:
        await work.ctx.ledger.set_due("prestage", work.connection.spec.name, None)
    return MADE[why]


async def _climb(work: Work, policy: Policy) -> str:
    for _ in range(ROUNDS):
        facts = await gather(work, verified=False)
        action = plan_next(
            policy,
            facts,
            name=name_of(work),
            operation=work.message.operation,
            now=work.ctx.clock.now(),
        )
        if isinstance(action, Keep):
            return action.why
        proven = await carry_out(work, facts, action)
        if isinstance(action, Verify) and proven:
            await _mark(work, facts)
    raise work.wait("CREDENTIAL_UNSETTLED", "The secrets keep changing under our hands.", seconds=5)


async def _mark(work: Work, facts: Facts) -> None:
    """From now on it may be published without being tried first."""
    if facts.staged is not None:
        await work.ctx.vault.retag(facts.staged, facts.staged.tags | {"verified": "true"})
        telemetry.event("next.ready", key_id=facts.staged.key_id)


async def _again(work: Work) -> None:
    due = work.ctx.clock.now() + AGAIN
    await work.ctx.ledger.set_due("prestage", work.connection.spec.name, due)
