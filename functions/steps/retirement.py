"""Removes the secret that a rotation replaced, once nobody can need it any more."""

from datetime import datetime, timedelta

import msgspec

from shared.errors import TryLater
from shared.leftovers import leftovers
from shared.mirror import mirror
from shared.model.connection import Credential
from shared.planning.retirement import Nothing, NotYet, Retire, plan_retirement
from shared.step import Done, Work, step

AGAIN = timedelta(days=1)


@step()
async def retirement(work: Work) -> Done:
    """Remove the previous secret by its key id when every guard allows it."""
    name, credential = work.connection.spec.name, work.connection.credential
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
            await work.ctx.ledger.set_due("retire", name, _again(credential, now))
            return Done("NOT_YET", f"The previous secret stays: {why}.")
        case Retire(key_id=key_id):
            await mirror(work)  # no name that the product reads may hold the old one still
            work.turn.before_write()
            await work.ctx.credentials.remove(work.connection.facts.object_id, key_id)
            work.turn.after_write()
            await work.record("secret.retired", key_id=key_id)
            # Once more: the list must not show it any longer, and there may be others.
            raise work.wait("RETIRED", f"The previous secret {key_id} was removed.", seconds=10)


def _again(credential: Credential, now: datetime) -> datetime:
    """At the overlap's end, or in a day when something else is in the way."""
    over = credential.overlap_until
    return over if over is not None and over > now else now + AGAIN


async def _forget(work: Work) -> None:
    if work.connection.credential is not None:
        alone = msgspec.structs.replace(
            work.connection.credential, previous_key_id="", overlap_until=None
        )
        await work.ctx.ledger.amend(work.connection.spec.name, credential=alone)


async def _done(work: Work, reason: str, message: str) -> Done:
    await work.ctx.ledger.set_due("retire", work.connection.spec.name, None)
    return Done(reason, message)
