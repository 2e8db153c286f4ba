"""What a product reads from the vault under names of its own, and whether a name is free."""

import re
from collections.abc import Mapping

from shared.errors import NeedsHuman
from shared.model.connection import Connection, Value
from shared.model.credential import StoredSecret
from shared.model.profile import Output, Profile, fill, holds, references

VAULT_NAME = re.compile(r"[0-9a-zA-Z-]{1,127}")
"""Source: Key Vault, "Object identifiers"; two names that differ in letter case are one."""


class Entry(Value, frozen=True):
    """One name in the vault: an output of the profile whose `vault_name` says so."""

    output: str
    name: str  # in the vault
    value: str = ""  # of what is no secret
    secret: bool = False  # carries the published client secret
    env: str = ""  # the name that the product knows it by
    inputs: tuple[str, ...] = ()  # those that the name is made of


def mirrored(
    profile: Profile, connection: Connection, values: Mapping[str, str]
) -> tuple[Entry, ...]:
    """Entries that follow the published secret. All others of a profile with a token broker are
    written together with the token.

    Raises `NeedsHuman` VAULT_NAME_INVALID for a name that no vault takes.
    """
    found = []
    for output in named(profile, connection):
        secret = "secret.value" in references(output.value)
        if profile.token_broker is not None and not secret:
            continue
        entry = _entry(output, values, secret=secret)
        # Without a name of its own the secret is where Keyturn publishes it.
        if entry.name != connection.spec.name and (secret or entry.value):
            found.append(entry)
    return tuple(found)


def brokered(
    profile: Profile, connection: Connection, values: Mapping[str, str]
) -> tuple[Entry, ...]:
    """Entries that are written from one token; *values* hold all of it but the token itself."""
    return tuple(
        _entry(output, values, secret="token.access_token" in references(output.value))
        for output in named(profile, connection)
        if profile.token_broker is not None and "secret.value" not in references(output.value)
    )


def named(profile: Profile, connection: Connection) -> list[Output]:
    """Outputs that the product reads in the vault by a name."""
    return [o for o in profile.outputs if o.vault_name and holds(o.when, connection.spec.features)]


def vault_name(output: Output, values: Mapping[str, str]) -> str:
    """The output's name in the vault; raises `NeedsHuman` VAULT_NAME_INVALID."""
    name = fill(output.vault_name, values)
    if VAULT_NAME.fullmatch(name):
        return name
    raise NeedsHuman(
        "VAULT_NAME_INVALID",
        f"{name} cannot be a name in Key Vault, which output {output.name} needs: it may have 1 "
        "to 127 letters, digits and hyphens.",
        "Choose other inputs, or correct the vault_name in the profile.",
    )


def require_free(entry: Entry, found: StoredSecret | None, connection: Connection) -> None:
    """Raise `NeedsHuman` when what is there belongs to somebody else: it is not overwritten."""
    if found is None:
        return
    owner, name = found.tags.get("connection", ""), connection.spec.name
    if owner == name or (not owner and entry.name in connection.handed):
        return
    whose = f"belongs to connection {owner}" if owner else "was not made by Keyturn"
    code = f"INPUT_INVALID:{entry.inputs[0]}" if entry.inputs else "VAULT_NAME_INVALID"
    raise NeedsHuman(
        code,
        f"The secret {entry.name} in the vault {whose}; it was left as it is.",
        f"Choose another {entry.inputs[0] if entry.inputs else 'name'}: it must be unique. If "
        f"this connection is to take the name over, tag that secret connection={name} and send "
        "the request again.",
    )


def _entry(output: Output, values: Mapping[str, str], *, secret: bool) -> Entry:
    asked = (r.partition(".") for r in references(output.vault_name))
    return Entry(
        output=output.name,
        name=vault_name(output, values),
        value="" if secret else fill(output.value, values).strip(),
        secret=secret,
        env=output.env,
        inputs=tuple(member for root, _, member in asked if root == "inputs"),
    )
