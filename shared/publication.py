"""Publishing a proven secret, and the bookkeeping that follows from what is published."""

from datetime import datetime, timedelta

from shared import telemetry
from shared.issuance import tags
from shared.model.connection import Credential
from shared.model.credential import NewSecret, StoredSecret
from shared.planning.credential_parts import Facts
from shared.planning.credentials import kept
from shared.planning.lifetime import Policy, due_at, shortened
from shared.planning.overlap import REMINDERS, Overlap, earlier_until
from shared.planning.strays import mention
from shared.step import Done, Work


async def publish(work: Work, facts: Facts, previous: str) -> None:
    secret = await value_of(work, facts.staged)
    marks = await tags(work) | ({"previousKeyId": previous} if previous else {})
    made = await work.ctx.vault.put(work.connection.spec.name, secret, marks)
    await work.record(
        "secret.published", key_id=secret.key_id, version=made.version, previous=previous
    )
    if (known := work.connection.credential) is not None and known.key_id == previous:
        lead = (known.expires - made.created) / timedelta(days=1)
        telemetry.measure("keyturn.rotation.lead_time", lead, profile=work.connection.spec.profile)


async def value_of(work: Work, stored: StoredSecret | None) -> NewSecret:
    secret = await work.ctx.vault.reveal(stored) if stored else None
    if secret is None:
        raise work.wait("STAGING_GONE", "The staged secret vanished from the vault.", seconds=5)
    return secret


async def note(work: Work, policy: Policy, facts: Facts) -> Done:
    """Bookkeeping after publication, repeatable: dates, due times, the staging copy put away."""
    served, name = facts.served, work.connection.spec.name
    if served is None:
        raise work.wait("VAULT_RACE", "The published secret vanished from the vault.", seconds=5)
    await _complete(work, served, facts.staged)
    expires = served.expires or served.created + policy.lifetime
    following = kept(policy, facts)
    spared = {following.key_id} if following else set()
    others = [
        secret
        for secret in facts.held or ()
        if secret.key_id == served.previous_key_id or secret.key_id in facts.leftovers - spared
    ]
    overlap = served.created + policy.overlap if others or served.previous_key_id else None
    older = any(secret.key_id != served.previous_key_id for secret in others)
    earlier = earlier_until(work.connection, served) if older else None
    before = next((s for s in others if s.key_id == served.previous_key_id), None)
    credential = Credential(
        key_id=served.key_id,
        expires=expires,
        published=served.created,
        due=_due(policy, facts, served, expires),
        vault_name=name,
        vault_version=served.version,
        hint=served.hint,
        shape=served.shape,
        thumbprint=served.thumbprint,
        previous_key_id=served.previous_key_id,
        previous_expires=before.ends if before else None,
        overlap_until=overlap,
        earlier_until=earlier,
        operation=served.operation,
    )
    await work.ctx.ledger.set_due("rotate", name, credential.due)
    if overlap is not None:
        # What expires sooner need not wait, or short-lived secrets would pile up.
        first = Overlap(begins=served.created, ends=overlap).after(REMINDERS[0])
        first = min([first, earlier or first, *(secret.ends for secret in others)])
        await work.ctx.ledger.set_due("retire", name, first)
    # Last: an acknowledgement, which needs it, makes the retirement due sooner than that.
    await work.ctx.ledger.amend(name, credential=credential)
    if facts.staged is not None and following is None:
        await work.ctx.vault.disable(facts.staged)
    more = shortened(policy, served.created, expires) + mention(facts.strays, work.now)
    return Done(
        "READY",
        f"{served.shape.word.capitalize()} {served.hint}... is published and expires "
        f"{expires:%Y-%m-%d}.{more}",
    )


def _due(policy: Policy, facts: Facts, served: StoredSecret, expires: datetime) -> datetime:
    """By the life that the directory tells, as whoever decides on a rotation counts it."""
    found = next((s for s in facts.held or () if s.key_id == served.key_id), None)
    starts = found.starts if found is not None else served.created
    return due_at(policy, starts, expires, published=served.created)


async def _complete(work: Work, served: StoredSecret, staged: StoredSecret | None) -> None:
    """What a crash kept from the history is put there now, with the vault's own times."""
    noted = work.connection.credential
    if noted is not None and noted.vault_version == served.version:
        return
    name = work.connection.spec.name
    history = await work.ctx.ledger.history(name)
    told = {(row["what"], row.get("key_id")) for row in history}
    found = [("secret.published", served)]
    if staged is not None and staged.key_id == served.key_id:
        found = [("secret.added", staged), ("secret.staged", staged), *found]
    for what, version in found:
        if (what, version.key_id) not in told:
            data = {"operation": version.operation, "key_id": version.key_id, "late": True}
            data |= {"previous": served.previous_key_id} if version is served else {}
            await work.ctx.ledger.record(
                name, version.created, what, data | {"version": version.version}
            )
