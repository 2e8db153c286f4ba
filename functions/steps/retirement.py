"""Removes the secret that a rotation replaced, once nobody can need it any more."""

from datetime import datetime, timedelta

import msgspec

from shared.errors import TryLater
from shared.leftovers import leftovers
from shared.mirror import mirror
from shared.planning.overlap import next_look, overlap_of, present
from shared.planning.retirement import OVERLAP, Nothing, NotYet, Retire, plan_retirement
from shared.reminding import remind
from shared.step import Done, Work, step

AGAIN = timedelta(days=1)


@step()
async def retirement(work: Work) -> Done:
    """Remove the previous secret by its key id when every guard allows it."""
    name, credential = work.connection.spec.name, present(work.connection)
    if credential is None:
        return await _done(work, "NOTHING", "No secret was published yet.")
    held = await work.ctx.credentials.held(work.connection.facts.object_id)
    if held is None:
        raise TryLater("APP_REPLICATION", "The application is not visible.")
    served = await work.ctx.vault.current(name)
    left = await leftovers(work, held, credential.key_id)
    now = work.ctx.clock.now()
    match plan_retirement(credential, held=held, served=served, now=now, leftovers=left):
        case Nothing():
            await _forget(work)
            return await _done(work, "NOTHING", "No previous secret is left.")
        case NotYet(why=why):
            if why == OVERLAP:
                await remind(work)
            await _look_again(work, now)
            return Done("NOT_YET", f"The previous secret stays: {why}.")
        case Retire(key_id=key_id):
            await mirror(work)  # no name that the product reads may hold the old one still
            work.turn.before_write()
            await work.ctx.credentials.remove(work.connection.facts.object_id, key_id)
            work.turn.after_write()
            await work.record("secret.retired", key_id=key_id)
            # Once more: the list must not show it any longer, and there may be others.
            raise work.wait("RETIRED", f"The previous secret {key_id} was removed.", seconds=10)


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
        )
        await work.ctx.ledger.amend(work.connection.spec.name, credential=alone)


async def _done(work: Work, reason: str, message: str) -> Done:
    await work.ctx.ledger.set_due("retire", work.connection.spec.name, None)
    return Done(reason, message)
