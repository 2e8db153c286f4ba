"""Secrets that earlier operations left in the directory: failed attempts, and forgotten ones."""

from collections.abc import Sequence

from shared.model.connection import Stray
from shared.model.credential import HeldSecret, StoredSecret
from shared.planning.credentials import PREFIX, operation_of
from shared.planning.strays import find_strays
from shared.step import Work


async def leftovers(work: Work, held: Sequence[HeldSecret], served_key_id: str) -> frozenset[str]:
    """Key ids of secrets that other operations of this ledger made, but for the served one.

    A secret with our mark whose operation is not in the ledger belongs to another installation
    of Keyturn that uses the same application; it is none of ours.
    """
    found = set()
    for secret in held:
        operation = operation_of(secret.name) if secret.name.startswith(PREFIX) else ""
        if not operation or operation == work.message.operation or secret.key_id == served_key_id:
            continue
        if await work.ctx.ledger.operation(work.connection.spec.name, operation) is not None:
            found.add(secret.key_id)
    return frozenset(found)


async def note_strays(
    work: Work,
    held: Sequence[HeldSecret] | None,
    stored: Sequence[StoredSecret | None],
    left: frozenset[str],
) -> tuple[Stray, ...]:
    """Secrets that nobody of ours made, as the ledger shows them from now on.

    *stored* are the versions that the vault serves and stages, *left* what earlier operations
    left in the directory.
    """
    name, noted = work.connection.spec.name, work.connection.credential
    # Anew: an earlier round of this very step may have found them.
    row = await work.ctx.ledger.connection(name)
    known = row.strays if row else ()
    if held is None:
        return known
    ours = {*left, *(secret.key_id for secret in stored if secret)}
    ours |= {secret.previous_key_id for secret in stored if secret}
    ours |= {noted.key_id, noted.previous_key_id} if noted else set()
    ours |= {s.key_id for s in held if operation_of(s.name) == work.message.operation}
    first = noted is None and not any(stored)
    found = find_strays(held, ours, known, first=first, now=work.ctx.clock.now())
    if found != known:
        await work.ctx.ledger.amend(name, strays=found)
    return found
