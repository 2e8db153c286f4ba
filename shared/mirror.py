"""The vault names that a product reads by itself follow the published secret.

A rotation reaches such a product without a person: it reads its own name, and finds the value
that was just published under the connection's.
"""

import asyncio
from datetime import datetime

from shared.model.credential import Masked, StoredSecret
from shared.planning.templates import profile_inputs, template_values
from shared.planning.vault_entries import Entry, mirrored, require_free
from shared.step import Work


async def mirror(work: Work) -> dict[str, str]:
    """Write what is missing or differs under the product's names; answers name and version.

    Safe to repeat, and after a crash between two of the names. Raises `NeedsHuman`
    INPUT_INVALID:<input> when a name belongs to somebody else; nothing is written then.
    """
    entries = mirrored(work.profile, work.connection, await values(work))
    if not entries:
        return {}
    found = await look_up(work, entries)
    served = await work.ctx.vault.current(work.connection.spec.name)
    secret = await work.ctx.vault.reveal(served) if served else None
    versions: dict[str, str] = {}
    for entry, there in zip(entries, found, strict=True):
        kept: StoredSecret | None
        if not entry.secret:
            kept = await _keep(work, entry, Masked(entry.value), there)
        elif secret is not None and served is not None:
            kept = await _keep(work, entry, secret, there, served)
        else:
            continue  # nothing is published yet
        versions[entry.name] = kept.version
    await note(work, versions)
    return versions


async def values(work: Work) -> dict[str, str]:
    """What vault names and values that are no secrets may refer to."""
    tenant = await work.ctx.directory.tenant()
    known = template_values(work.connection.spec, tenant, work.connection.facts, today="")
    return profile_inputs(work.profile, work.connection.spec) | known


async def look_up(work: Work, entries: tuple[Entry, ...]) -> list[StoredSecret | None]:
    """What is there under each name; raises `NeedsHuman` for one that is not ours."""
    found = await asyncio.gather(*(work.ctx.vault.current(entry.name) for entry in entries))
    for entry, there in zip(entries, found, strict=True):
        require_free(entry, there, work.connection)
    return list(found)


async def put(
    work: Work, entry: Entry, value: Masked, expires: datetime | None, **marks: str
) -> StoredSecret:
    """A new version, tagged with whose it is and with the name that the product knows."""
    tags = {"connection": work.connection.spec.name, "profile": work.profile.id, **marks}
    if entry.env:
        tags["env"] = entry.env  # names of variables may not be names in the vault
    return await work.ctx.vault.keep(entry.name, value, tags, expires)


async def note(work: Work, versions: dict[str, str]) -> None:
    """Add to what the ledger knows of the product's own names."""
    name = work.connection.spec.name
    row = await work.ctx.ledger.connection(name)
    known = row.handed if row else {}
    if versions.items() - known.items():
        await work.ctx.ledger.amend(name, handed={**known, **versions})


async def _keep(
    work: Work,
    entry: Entry,
    value: Masked,
    there: StoredSecret | None,
    served: StoredSecret | None = None,
) -> StoredSecret:
    """What is there if it is right, or a new version; *served* is the secret's own."""
    key_id = served.key_id if served else ""
    expires = served.expires if served else None
    if there is not None and await _same(work, there, value, key_id):
        return there
    made = await put(work, entry, value, expires, **({"keyId": key_id} if key_id else {}))
    await work.record("vault.mirrored", name=entry.name, version=made.version, key_id=key_id)
    return made


async def _same(work: Work, there: StoredSecret, value: Masked, key_id: str) -> bool:
    """Tags say whose it was meant to be; only the value says what it is."""
    if there.tags.get("connection") != work.connection.spec.name or there.key_id != key_id:
        return False
    stored = await work.ctx.vault.reveal(there)
    return stored is not None and stored.same(value)
