"""Where the values of a brokered access token are, and whether they still belong together."""

import asyncio

from shared.errors import NeedsHuman
from shared.messages import CHAIN
from shared.mirror import values
from shared.model.connection import BrokeredToken
from shared.planning.broker import stale, token_values
from shared.planning.vault_entries import Entry, brokered
from shared.step import Work


async def entries_of(work: Work, token: BrokeredToken | None) -> tuple[Entry, ...]:
    """The vault names that are written from one token, with their values."""
    known = await values(work) | token_values(token)
    return brokered(work.profile, work.connection, known)


async def broker_trouble(work: Work) -> NeedsHuman | None:
    """TOKEN_BROKER_STALE when the product would read an old token or a mixture; None otherwise.

    What is wrong is due at once: the next sweep of the token timer mends it.
    """
    if work.profile.token_broker is None or "broker" in CHAIN[work.message.kind]:
        return None  # the step that makes a fresh one comes later
    row = await work.ctx.ledger.connection(work.connection.spec.name)
    token = row.brokered if row else None
    entries = await entries_of(work, token)
    read = await asyncio.gather(*(work.ctx.vault.current(entry.name) for entry in entries))
    found = {entry.name: there for entry, there in zip(entries, read, strict=True)}
    trouble = stale(token, entries, found, work.ctx.clock.now())
    if trouble is not None:
        name = work.connection.spec.name
        await work.ctx.ledger.set_due("token", name, work.ctx.clock.now())
    return trouble
