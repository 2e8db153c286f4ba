"""Operations of soft delete: delete, list, get, purge, recover."""

from typing import Any

from emulators.keyvault.call import Call
from emulators.keyvault.errors import (
    being_deleted,
    being_recovered,
    purge_protected,
    secret_not_found,
)
from emulators.keyvault.paging import page
from emulators.keyvault.state import Phase, Secret
from emulators.keyvault.vault import Vault


def delete_secret(vault: Vault, call: Call) -> dict[str, Any]:
    """Delete all versions; the name is blocked at once, the deletion takes the lag."""
    secret = vault.state.find(call.name)
    now = vault.state.now
    if secret is not None and secret.phase(now) is Phase.RECOVERING:
        raise being_recovered(secret.name)
    secret = vault.state.active(call.name)
    secret.deleted = now
    secret.settled = now + vault.lag.deletion
    vault.state.save(secret)
    return vault.bundles(call.base).deleted(secret)


def list_deleted(vault: Vault, call: Call) -> dict[str, Any]:
    forms, now = vault.bundles(call.base), vault.state.now
    shown = [s for s in vault.state if s.phase(now) is Phase.DELETED]
    return page(call, [(secret.key, forms.deleted_item(secret)) for secret in shown])


def get_deleted(vault: Vault, call: Call) -> dict[str, Any]:
    """404 until the deletion is through."""
    secret = vault.state.find(call.name)
    if secret is None or secret.phase(vault.state.now) is not Phase.DELETED:
        raise secret_not_found(call.name)
    return vault.bundles(call.base).deleted(secret)


def purge_secret(vault: Vault, call: Call) -> None:
    secret = _settled(vault, call.name)
    if vault.settings.purge_protection:
        raise purge_protected()
    vault.state.drop(secret)


def recover_secret(vault: Vault, call: Call) -> dict[str, Any]:
    """Bring all versions back; the secret answers 404 until the recovery lag is over."""
    secret = _settled(vault, call.name)
    secret.deleted = None
    secret.settled = vault.state.now + vault.lag.recovery
    vault.state.save(secret)
    for version in secret.versions:
        vault.events.watch(secret, version)
    return vault.bundles(call.base).properties(secret, secret.current)


def _settled(vault: Vault, name: str) -> Secret:
    """Answer a secret whose deletion is through; refuse with 409 while something runs."""
    secret = vault.state.find(name)
    phase = secret.phase(vault.state.now) if secret is not None else Phase.ACTIVE
    if secret is None or phase is Phase.ACTIVE:
        raise secret_not_found(name)
    if phase is Phase.DELETING:
        raise being_deleted()
    if phase is Phase.RECOVERING:
        raise being_recovered(secret.name)
    return secret
