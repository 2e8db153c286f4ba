"""Taking secrets away that were published once, with the vault's versions of their values."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from shared.errors import NeedsHuman
from shared.mirror import values
from shared.model.credential import HeldSecret
from shared.planning.credentials import SETTLE, staging_name
from shared.planning.vault_entries import mirrored
from shared.step import Work
from shared.telling import recorded

DAILY = timedelta(days=1)

PATIENCE = timedelta(days=7)
"""For so long a refused removal is tried once a day before a person is asked."""

REFUSED = "secret.retirement-refused"


async def take_out(work: Work, key_id: str, *, why: str) -> None:
    """Remove it, and see several reads in a row agree that it is gone; safe to repeat.

    Raises `TryLater` RETIRED while some node still lists it.
    """
    object_id = work.connection.facts.object_id
    work.turn.before_write()
    await work.ctx.credentials.remove(object_id, key_id)
    work.turn.after_write()
    await note_retired(work, key_id, why)
    if not await work.ctx.credentials.gone(object_id, key_id):
        raise work.wait("RETIRED", f"Secret {key_id} was removed and is still listed.", seconds=10)


async def note_retired(work: Work, key_id: str, why: str) -> None:
    """Once, also when a crash came between the removal and its record."""
    if not await recorded(work.ctx, work.connection.spec.name, "secret.retired", key_id=key_id):
        await work.record("secret.retired", key_id=key_id, why=why)


async def put_away(
    work: Work, held: Sequence[HeldSecret], served_key_id: str, *, young: bool = False
) -> None:
    """Disable the vault's versions of secrets that are gone: never what a product reads now.

    A list may lag behind writes, so only *young* believes it about a version that was just made.
    """
    name, now = work.connection.spec.name, work.ctx.clock.now()
    there = {secret.key_id for secret in held} | {served_key_id, ""}
    entries = mirrored(work.profile, work.connection, await values(work))
    read = [name, *(entry.name for entry in entries if entry.secret)]
    for each in dict.fromkeys([*read, staging_name(name)]):
        versions = await work.ctx.vault.all_versions(each)
        for version in versions[:-1] if each in read else versions:
            old = young or now >= version.created + SETTLE
            if version.enabled and version.key_id not in there and old:
                await work.ctx.vault.disable(version)
                await work.record(
                    "vault.disabled", name=each, version=version.version, key_id=version.key_id
                )


async def refused(work: Work, key_id: str, problem: NeedsHuman) -> str:
    """Note it and try again tomorrow; a sentence about it.

    Raises `NeedsHuman` SECRET_NOT_RETIRED once it has been refused for a week.
    """
    name, now = work.connection.spec.name, work.ctx.clock.now()
    history = await work.ctx.ledger.history(name)
    before = [
        datetime.fromisoformat(str(row["at"]))
        for row in history
        if row["what"] == REFUSED and row.get("key_id") == key_id
    ]
    await work.record(REFUSED, key_id=key_id, why=problem.code, message=problem.message)
    await work.ctx.ledger.set_due("retire", name, now + DAILY)
    since = min(before, default=now)
    if now < since + PATIENCE:
        return f"Secret {key_id} could not be removed and is tried again: {problem.message}"
    raise NeedsHuman(
        "SECRET_NOT_RETIRED",
        f"Secret {key_id} should be gone, and its removal has been refused since "
        f"{since:%Y-%m-%d}: {problem.message} ({problem.code})",
        f"{problem.remedy} Or remove it by hand (Entra ID, App registrations, Certificates & "
        "secrets). It is tried again every day.",
    )
