"""Secrets that earlier operations left in the directory: failed attempts, and forgotten ones."""

from collections.abc import Sequence

from shared.model.credential import HeldSecret
from shared.planning.credentials import PREFIX, operation_of
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
