"""Backup and restore of a secret with all its versions."""

import base64
import binascii
import zlib
from typing import Any

import msgspec

from emulators.keyvault.call import Call
from emulators.keyvault.errors import Refusal, bad_parameter
from emulators.keyvault.state import Secret
from emulators.keyvault.vault import Vault


def backup_secret(vault: Vault, call: Call) -> dict[str, Any]:
    """An opaque text; it is as secret as the values in it."""
    secret = vault.state.active(call.name)
    blob = zlib.compress(msgspec.msgpack.encode(secret))
    return {"value": base64.urlsafe_b64encode(blob).decode().rstrip("=")}


def restore_secret(vault: Vault, call: Call) -> dict[str, Any]:
    """All versions come back with their ids and attributes; the name must be free."""
    secret = _unpacked(call.restore().value)
    if vault.state.free(secret.name) is not None:
        raise Refusal(409, "Conflict", f"Secret {secret.name} already exists in this vault.")
    vault.state.save(secret, secret.versions, issued=True)
    for version in secret.versions:
        vault.events.watch(secret, version)
    return vault.bundles(call.base).properties(secret, secret.current)


def _unpacked(text: str) -> Secret:
    try:
        blob = zlib.decompress(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        secret = msgspec.msgpack.decode(blob, type=Secret)
    except (binascii.Error, ValueError, zlib.error, msgspec.DecodeError) as error:
        raise bad_parameter("The backup is malformed.") from error
    if not secret.versions:
        raise bad_parameter("The backup is empty.")
    return secret
