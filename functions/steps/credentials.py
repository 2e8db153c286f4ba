"""Makes, proves and publishes the client secret: guide steps 14 to 19, and every rotation."""

import asyncio
from datetime import datetime, timedelta

from shared.errors import NeedsHuman
from shared.leftovers import leftovers
from shared.model.connection import Aspect, Credential
from shared.model.credential import NewSecret, StoredSecret
from shared.model.duration import parse_duration
from shared.model.profile import fill
from shared.planning.credentials import (
    Add,
    Ask,
    Discard,
    Facts,
    Keep,
    Policy,
    Publish,
    Published,
    Verify,
    Wait,
    credential_name,
    due_at,
    plan_credential,
    staging_name,
)
from shared.planning.templates import input_values
from shared.proof import prove
from shared.step import Done, Work, step

ACTIVATION = 60  # seconds that a new secret is left alone before it is tried, at pace 1
ROUNDS = 8
MARGIN = timedelta(minutes=5)  # kept from the policy's longest lifetime, for clocks that differ


@step(Aspect.CREDENTIAL_READY)
async def credentials(work: Work) -> Done:
    """Have a secret in the vault that was proven to work before it was published."""
    verified = False
    for _ in range(ROUNDS):
        facts = await _gather(work, verified=verified)
        match _plan(work, facts):
            case Keep() if _is_noted(work, facts):
                return Done("READY", "The published secret is good; nothing is due.")
            case Keep() | Published():
                return await _note(work, facts)
            case Add() as add:
                await _add(work, add)
            case Discard(key_id=key_id, why=why):
                await _discard(work, key_id, why)
            case Verify():
                await prove(work, await _value(work, facts.staged))
                verified = True
            case Publish(previous_key_id=previous):
                await _publish(work, facts, previous)
            case Wait(code=code, message=message):
                raise work.wait(code, message, seconds=5)
            case Ask(code=code, message=message, remedy=remedy):
                raise work.doubt(NeedsHuman(code, message, remedy))
    raise work.wait("CREDENTIAL_UNSETTLED", "The secrets keep changing under our hands.", seconds=5)


def _plan(work: Work, facts: Facts) -> object:
    return plan_credential(
        _policy(work),
        facts,
        name=_name(work),
        operation=work.message.operation,
        rotate=work.message.kind == "rotate",
        registered=work.connection.facts.registered or work.connection.created,
        now=work.ctx.clock.now(),
    )


def _policy(work: Work) -> Policy:
    wanted = work.profile.credential
    return Policy(
        lifetime=parse_duration(fill(wanted.lifetime, input_values(work.connection.spec))),
        renew_before=wanted.renew_before,
        overlap=wanted.overlap,
    )


def _name(work: Work) -> str:
    """The same in every delivery of one operation: an orphan is recognised by it."""
    spec = work.connection.spec
    values = input_values(spec) | {"connection": spec.name, "today": ""}
    tail = fill(work.profile.credential.display_name, values).strip()
    return credential_name(spec.profile, work.message.operation, tail)


async def _gather(work: Work, *, verified: bool) -> Facts:
    name, vault = work.connection.spec.name, work.ctx.vault
    held, served, staged = await asyncio.gather(
        work.ctx.credentials.held(work.connection.facts.object_id),
        vault.current(name),
        vault.current(staging_name(name)),
    )
    noted = work.connection.credential
    return Facts(
        held=None if held is None else tuple(held),
        served=served,
        staged=staged,
        verified=verified,
        leftovers=await leftovers(work, held or (), served.key_id if served else ""),
        noted=noted.key_id if noted else "",
        noted_previous=noted.previous_key_id if noted else "",
    )


async def _add(work: Work, add: Add) -> None:
    """Make the secret and put it where a crash cannot lose it; nothing comes in between."""
    work.turn.before_write()
    await work.record("secret.intended", name=add.name, why=add.why)
    try:
        secret = await _create(work, add.name, add.ends)
    finally:
        work.turn.after_write()
    try:
        await _stage(work, secret)
    except Exception:
        await _take_back(work, secret)
        raise
    await work.record("secret.added", key_id=secret.key_id, why=add.why, ends=add.ends.isoformat())
    if ACTIVATION * work.ctx.pace > 0:
        raise work.wait(
            "SECRET_NOT_YET_ACTIVE",
            "The new secret is stored; giving it time to become known everywhere.",
            seconds=ACTIVATION,
        )


async def _create(work: Work, name: str, ends: datetime) -> NewSecret:
    """Add it; a tenant policy that allows less time is read and obeyed, once."""
    object_id = work.connection.facts.object_id
    try:
        return await work.ctx.credentials.add(object_id, name, ends)
    except NeedsHuman as refusal:
        if refusal.code != "SECRET_LIFETIME_OVER_POLICY":
            raise
        allowed = await work.ctx.credentials.longest_lifetime()
        if allowed is None:
            raise
        shorter = work.ctx.clock.now() + timedelta(days=allowed) - MARGIN
        await work.record("secret.shortened", allowed_days=allowed)
        return await work.ctx.credentials.add(object_id, name, shorter)


async def _stage(work: Work, secret: NewSecret) -> None:
    name = staging_name(work.connection.spec.name)
    await work.ctx.vault.put(name, secret, await _tags(work))


async def _take_back(work: Work, secret: NewSecret) -> None:
    """The vault failed: remove the new secret, unless the vault has it and only its answer
    was lost. When the vault cannot be asked either, the planner finds the orphan later."""
    staged = await work.ctx.vault.current(staging_name(work.connection.spec.name))
    if staged is None or staged.key_id != secret.key_id:
        await work.ctx.credentials.remove(work.connection.facts.object_id, secret.key_id)
        await work.record("secret.removed", key_id=secret.key_id, why="not-stored")


async def _discard(work: Work, key_id: str, why: str) -> None:
    work.turn.before_write()
    await work.ctx.credentials.remove(work.connection.facts.object_id, key_id)
    work.turn.after_write()
    await work.record("secret.removed", key_id=key_id, why=why)


async def _publish(work: Work, facts: Facts, previous: str) -> None:
    secret = await _value(work, facts.staged)
    tags = await _tags(work) | ({"previousKeyId": previous} if previous else {})
    made = await work.ctx.vault.put(work.connection.spec.name, secret, tags)
    await work.record("secret.published", key_id=secret.key_id, version=made.version)


async def _value(work: Work, stored: StoredSecret | None) -> NewSecret:
    secret = await work.ctx.vault.reveal(stored) if stored else None
    if secret is None:
        raise work.wait("STAGING_GONE", "The staged secret vanished from the vault.", seconds=5)
    return secret


async def _note(work: Work, facts: Facts) -> Done:
    """Bookkeeping after publication, repeatable: dates, due times, the staging copy put away."""
    served, name = facts.served, work.connection.spec.name
    if served is None:
        raise work.wait("VAULT_RACE", "The published secret vanished from the vault.", seconds=5)
    policy = _policy(work)
    expires = served.expires or served.created + policy.lifetime
    others = [
        secret
        for secret in facts.held or ()
        if secret.key_id == served.previous_key_id or secret.key_id in facts.leftovers
    ]
    overlap = served.created + policy.overlap if others or served.previous_key_id else None
    credential = Credential(
        key_id=served.key_id,
        expires=expires,
        published=served.created,
        due=due_at(policy, served.created, expires),
        vault_name=name,
        vault_version=served.version,
        hint=served.hint,
        previous_key_id=served.previous_key_id,
        overlap_until=overlap,
    )
    await work.ctx.ledger.amend(name, credential=credential)
    await work.ctx.ledger.set_due("rotate", name, credential.due)
    if overlap is not None:
        # What expires sooner need not wait, or short-lived secrets would pile up.
        first = min([overlap, *(secret.ends for secret in others)])
        await work.ctx.ledger.set_due("retire", name, first)
    if facts.staged is not None:
        await work.ctx.vault.disable(facts.staged)
    return Done("READY", f"Secret {served.hint}... is published and expires {expires:%Y-%m-%d}.")


def _is_noted(work: Work, facts: Facts) -> bool:
    """Whether the ledger knows the served secret: an operation may have died before it noted it."""
    served, noted = facts.served, work.connection.credential
    ours = served is not None and any(s.key_id == served.key_id for s in facts.held or ())
    return not ours or (
        noted is not None and served is not None and noted.vault_version == served.version
    )


async def _tags(work: Work) -> dict[str, str]:
    return {
        "operation": work.message.operation,
        "profile": work.connection.spec.profile,
        "clientId": work.connection.facts.client_id,
        "tenantId": (await work.ctx.directory.tenant()).id,
    }
