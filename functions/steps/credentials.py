"""Makes, proves and publishes the client secret, or the certificate: guide steps 14 to 19, and
every rotation."""

from datetime import timedelta

from shared.emergency import replace_secret
from shared.errors import NeedsHuman
from shared.federation import federate
from shared.ladder import carry_out, gather, name_of
from shared.mirror import mirror
from shared.model.connection import Aspect
from shared.operations import EMERGENCY, TIMER
from shared.planning.credential_parts import Action, Facts, Keep, Published
from shared.planning.credentials import plan_credential
from shared.planning.lifetime import Policy, policy_of
from shared.planning.strays import mention
from shared.prestaging import have_next
from shared.publication import note
from shared.step import Done, Work, step
from shared.upkeep import look_after

ROUNDS = 8
DAILY = timedelta(days=1)


@step(Aspect.CREDENTIAL_READY)
async def credentials(work: Work) -> Done:
    """Have a secret in the vault that was proven to work before it was published."""
    if not work.profile.credential.kept:
        return await federate(work)
    return await _secret(work)


async def _secret(work: Work) -> Done:
    policy, verified = policy_of(work.profile, work.connection.spec), False
    if work.message.kind == EMERGENCY:
        return await replace_secret(work, policy)
    for _ in range(ROUNDS):
        facts = await gather(work, verified=verified)
        match _plan(work, policy, facts):
            case (Keep() | Published()) as good:
                done = await _settle(work, policy, facts, good)
                await mirror(work)
                more = await have_next(work, policy)
                return Done(done.reason, done.message + more)
            case action:
                verified = await carry_out(work, facts, action) or verified
    raise work.wait("CREDENTIAL_UNSETTLED", "The secrets keep changing under our hands.", seconds=5)


async def _settle(work: Work, policy: Policy, facts: Facts, good: Keep | Published) -> Done:
    """Nothing more is to be made: what is published is noted, and told."""
    if isinstance(good, Published) or not _is_noted(work, facts):
        return await note(work, policy, facts)
    if good.why == "external":
        return await _left_to_others(work, facts)
    await look_after(work, policy, facts)
    more = mention(facts.strays, work.now)
    return Done("READY", f"The published secret is good; nothing is due.{more}")


def _plan(work: Work, policy: Policy, facts: Facts) -> Action:
    return plan_credential(
        policy,
        facts,
        name=name_of(work),
        operation=work.message.operation,
        # What a timer asks for may have been done since, by an operation that was in flight.
        rotate=work.message.kind == "rotate" and work.operation.asked_by != TIMER,
        registered=work.connection.facts.registered or work.connection.created,
        now=work.ctx.clock.now(),
    )


async def _left_to_others(work: Work, facts: Facts) -> Done:
    """Somebody else rotates: say what is seen, add nothing, remove nothing."""
    known, name, now = work.connection.credential, work.connection.spec.name, work.ctx.clock.now()
    if known is None:
        raise work.wait("VAULT_RACE", "The published secret vanished from the vault.", seconds=5)
    await work.ctx.ledger.set_due("rotate", name, known.due if now < known.due else now + DAILY)
    if all(secret.key_id != known.key_id for secret in facts.held or ()):
        return Done("EXTERNAL", "The product has replaced the secret that was handed over.")
    told = f"Secret {known.hint}... expires {known.expires:%Y-%m-%d}; the product rotates it itself"
    if now < known.due:
        return Done("EXTERNAL", f"{told}.")
    await work.record("secret.due", key_id=known.key_id, expires=known.expires.isoformat())
    if now >= known.expires:
        raise NeedsHuman(
            "SECRET_EXPIRED",
            f"Secret {known.hint} expired on {known.expires:%Y-%m-%d}, and the product has not "
            "replaced it.",
            "Rotate it in the product; the profile leaves rotation to it.",
        )
    return Done("EXTERNAL", f"{told}, and has not done so yet: rotate it there before then.")


def _is_noted(work: Work, facts: Facts) -> bool:
    """Whether the ledger knows the served secret: an operation may have died before it noted it."""
    served, noted = facts.served, work.connection.credential
    ours = served is not None and any(s.key_id == served.key_id for s in facts.held or ())
    return not ours or (
        noted is not None and served is not None and noted.vault_version == served.version
    )
