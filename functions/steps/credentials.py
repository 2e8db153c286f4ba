"""Makes, proves and publishes the client secret, or the certificate: guide steps 14 to 19, and
every rotation."""

import asyncio
from datetime import timedelta

from shared.errors import NeedsHuman
from shared.federation import federate
from shared.issuance import add, discard
from shared.leftovers import leftovers, note_strays
from shared.mirror import mirror
from shared.model.connection import Aspect, Status
from shared.model.credential import StoredSecret
from shared.model.profile import fill
from shared.planning.credentials import (
    HEALED_BY_ROTATION,
    Add,
    Ask,
    Discard,
    Facts,
    Keep,
    Publish,
    Published,
    Verify,
    Wait,
    credential_name,
    plan_credential,
    staging_name,
)
from shared.planning.lifetime import Policy, policy_of
from shared.planning.strays import mention
from shared.planning.templates import input_values
from shared.proof import prove
from shared.publication import note, publish, value_of
from shared.step import Done, Work, step

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
    for _ in range(ROUNDS):
        facts = await _gather(work, verified=verified)
        match _plan(work, policy, facts):
            case (Keep() | Published()) as good:
                done = await _settle(work, policy, facts, good)
                await mirror(work)
                return done
            case Add() as wanted:
                await add(work, wanted)
            case Discard() as lost:
                await discard(work, lost)
            case Verify():
                await prove(work, await value_of(work, facts.staged))
                verified = True
            case Publish(previous_key_id=previous):
                await publish(work, facts, previous)
            case Wait(code=code, message=message, limit=limit):
                raise work.wait(code, message, seconds=5, minutes=limit / timedelta(minutes=1))
            case Ask(code=code, message=message, remedy=remedy):
                raise work.doubt(NeedsHuman(code, message, remedy))
    raise work.wait("CREDENTIAL_UNSETTLED", "The secrets keep changing under our hands.", seconds=5)


async def _settle(work: Work, policy: Policy, facts: Facts, good: Keep | Published) -> Done:
    """Nothing more is to be made: what is published is noted, and told."""
    if isinstance(good, Published) or not _is_noted(work, facts):
        return await note(work, policy, facts)
    if good.why == "external":
        return await _left_to_others(work, facts)
    more = mention(facts.strays, work.now)
    return Done("READY", f"The published secret is good; nothing is due.{more}")


def _plan(work: Work, policy: Policy, facts: Facts) -> object:
    return plan_credential(
        policy,
        facts,
        name=_name(work),
        operation=work.message.operation,
        rotate=work.message.kind == "rotate",
        registered=work.connection.facts.registered or work.connection.created,
        now=work.ctx.clock.now(),
    )


def _name(work: Work) -> str:
    """The same in every delivery of one operation: an orphan is recognised by it."""
    spec = work.connection.spec
    values = input_values(spec) | {"connection": spec.name, "today": ""}
    credential = work.profile.credential
    tail = fill(credential.display_name, values).strip()
    return credential_name(spec.profile, work.message.operation, tail, credential.shape)


async def _gather(work: Work, *, verified: bool) -> Facts:
    name, vault = work.connection.spec.name, work.ctx.vault
    held, served, staged = await asyncio.gather(
        work.ctx.credentials.held(work.connection.facts.object_id),
        vault.current(name),
        vault.current(staging_name(name)),
    )
    left = await leftovers(work, held or (), served.key_id if served else "")
    strays = await note_strays(work, held, (served, staged), left)
    noted = work.connection.credential
    return Facts(
        held=None if held is None else tuple(held),
        served=served,
        staged=staged,
        verified=verified,
        leftovers=left,
        strays=strays,
        noted=noted.key_id if noted else "",
        noted_previous=noted.previous_key_id if noted else "",
        refused=_is_refused(work, served),
    )


def _is_refused(work: Work, served: StoredSecret | None) -> bool:
    """Whether a verification has found since its publication that it is good for nothing."""
    found = work.connection.condition(Aspect.VERIFIED)
    return (
        found is not None
        and served is not None
        and found.status == Status.FALSE
        and found.reason in HEALED_BY_ROTATION
        and found.since >= served.created
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
