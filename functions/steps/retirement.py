"""Removes the secrets that a rotation replaced, once nobody can need them any more."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from shared.errors import StepError, TryLater
from shared.leftovers import leftovers
from shared.mirror import mirror
from shared.model.connection import Credential
from shared.model.credential import HeldSecret
from shared.operations import EMERGENCY
from shared.planning.credentials import kept_id, staging_name
from shared.planning.lifetime import policy_of
from shared.planning.overlap import next_look, overlap_of, present
from shared.planning.retirement import (
    OVERLAP,
    Nothing,
    NotYet,
    Retire,
    plan_purge,
    plan_retirement,
)
from shared.reminding import remind
from shared.retiring import note_retired, put_away, refused, take_out
from shared.step import Done, Work, step

AGAIN = timedelta(days=1)
SOON = timedelta(hours=1)


@step()
async def retirement(work: Work) -> Done:
    """Remove what was replaced by its key id when every guard allows it, or in an emergency now."""
    name, credential = work.connection.spec.name, present(work.connection)
    if credential is None:
        return await _done(work, "NOTHING", "No secret was published yet.")
    urgent = work.message.kind == EMERGENCY
    held = await work.ctx.credentials.held(work.connection.facts.object_id)
    if held is None:
        raise TryLater("APP_REPLICATION", "The application is not visible.")
    served, staged = (
        await work.ctx.vault.current(name),
        await work.ctx.vault.current(staging_name(name)),
    )
    following = kept_id(policy_of(work.profile, work.connection.spec), served, staged)
    left = await leftovers(work, held, credential.key_id) - {following}
    now = work.ctx.clock.now()
    plan = plan_purge if urgent else plan_retirement
    match plan(credential, held=held, served=served, now=now, leftovers=left):
        case Retire(key_id=key_id, why=why):
            return await _retire(work, key_id, why, urgent=urgent)
        case NotYet(why=why) if urgent:
            raise work.wait("VAULT_RACE", f"The old secrets cannot be removed: {why}.", seconds=10)
        case NotYet(why=why):
            await put_away(work, held, served.key_id if served else "")
            if why == OVERLAP:
                await remind(work)
            await _look_again(work, now)
            return Done("NOT_YET", f"The previous secret stays: {why}.")
        case Nothing():
            await put_away(work, held, credential.key_id, young=urgent)
            return await _finish(work, credential, held, urgent=urgent)


async def _retire(work: Work, key_id: str, why: str, *, urgent: bool) -> Done:
    await mirror(work)  # no name that the product reads may hold the old one still
    try:
        await take_out(work, key_id, why=why)
    except StepError as error:
        problem = work.final(error)
        if problem is None:
            raise
        if urgent:
            due = work.ctx.clock.now() + SOON
            await work.ctx.ledger.set_due("retire", work.connection.spec.name, due)
            raise problem from error
        return Done("NOT_YET", await refused(work, key_id, problem))
    # Once more: there may be others.
    raise work.wait("RETIRED", f"Secret {key_id} was removed.", seconds=10)


async def _finish(
    work: Work, credential: Credential, held: Sequence[HeldSecret], *, urgent: bool
) -> Done:
    """Nothing of ours is left but what is served, and what is kept to come next."""
    name, ledger = work.connection.spec.name, work.ctx.ledger
    if credential.previous_key_id:
        await note_retired(work, credential.previous_key_id, "gone")
    if credential.previous_key_id or credential.overlap_until is not None:
        await _forget(work)
    if policy_of(work.profile, work.connection.spec).prestage:
        await ledger.set_due("prestage", name, work.ctx.clock.now())
    if urgent:
        others = [secret.key_id for secret in held if secret.key_id != credential.key_id]
        await work.record("emergency.finished", key_id=credential.key_id, others=others)
        await work.announce(
            "emergency.finished",
            {"key_id": credential.key_id, "others": others, "reason": work.operation.reason},
            at=work.ctx.clock.now(),
        )
    return await _done(work, "NOTHING", "No previous secret is left.")


async def _look_again(work: Work, now: datetime) -> None:
    """At the next reminder, at the overlap's end, or in a day when something else is in the way."""
    name, overlap = work.connection.spec.name, overlap_of(work.connection)
    looked = (next_look(overlap, now) if overlap else None) or now + AGAIN
    await work.ctx.ledger.set_due("retire", name, looked)
    row = await work.ctx.ledger.connection(name)
    said = row is not None and row.takeover != work.connection.takeover
    if row is not None and said and (shorter := overlap_of(row)):
        # Somebody has acknowledged meanwhile; what that made due was just put off.
        await work.ctx.ledger.set_due("retire", name, shorter.ends)


async def _forget(work: Work) -> None:
    if work.connection.credential is not None:
        alone = msgspec.structs.replace(
            work.connection.credential,
            previous_key_id="",
            previous_expires=None,
            overlap_until=None,
            earlier_until=None,
        )
        await work.ctx.ledger.amend(work.connection.spec.name, credential=alone)


async def _done(work: Work, reason: str, message: str) -> Done:
    await work.ctx.ledger.set_due("retire", work.connection.spec.name, None)
    return Done(reason, message)
