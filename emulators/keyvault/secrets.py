"""Operations on secrets: set, get, update, list, versions."""

from typing import Any
from uuid import uuid4

from emulators.keyvault.call import Call, UpdateBody
from emulators.keyvault.errors import secret_disabled
from emulators.keyvault.paging import page
from emulators.keyvault.state import Phase, Secret, Version
from emulators.keyvault.vault import Vault


def set_secret(vault: Vault, call: Call) -> dict[str, Any]:
    """Every call makes a new version, which becomes the current one."""
    body = call.set()
    now = int(vault.state.now)
    secret = vault.state.free(call.name) or Secret(name=call.name)
    version = Version(
        id=uuid4().hex,
        number=secret.current.number + 1 if secret.versions else 1,
        value=body.value,
        created=now,
        updated=now,
        watched=vault.events.subscribed,
    )
    _apply(version, body)
    # The list is replaced, not changed, so that a failed write leaves the state as it was.
    secret.versions = [*secret.versions, version]
    vault.state.save(secret, [version], issued=True)
    vault.events.watch(secret, version)
    return vault.bundles(call.base).bundle(secret, version)


def get_secret(vault: Vault, call: Call) -> dict[str, Any]:
    """Expiry and not-before are information only; `enabled` alone blocks reading."""
    secret = vault.state.active(call.name)
    version = secret.version(call.version)
    if not version.enabled:
        raise secret_disabled("get")
    return vault.bundles(call.base).bundle(secret, version)


def update_secret(vault: Vault, call: Call) -> dict[str, Any]:
    """Change what is given, of the current version when none is named; never the value."""
    body = call.update()
    secret = vault.state.active(call.name)
    version = secret.version(call.version)
    _apply(version, body)
    version.updated = int(vault.state.now)
    vault.state.save(secret, [version])
    vault.events.watch(secret, version)
    return vault.bundles(call.base).properties(secret, version)


def list_secrets(vault: Vault, call: Call) -> dict[str, Any]:
    """Names and properties of the current versions; deleted secrets are absent."""
    forms, now = vault.bundles(call.base), vault.state.now
    shown = [s for s in vault.state if s.phase(now) is Phase.ACTIVE]
    return page(call, [(secret.key, forms.item(secret)) for secret in shown])


def list_versions(vault: Vault, call: Call) -> dict[str, Any]:
    """In order of id, that is, in no order a client could rely on.

    An unknown name has no versions and is no error: Microsoft's samples, run live, list the
    versions of a secret that does not exist.
    """
    secret = vault.state.find(call.name)
    if secret is None or secret.phase(vault.state.now) is not Phase.ACTIVE:
        return page(call, [])
    forms = vault.bundles(call.base)
    shown = sorted(secret.versions, key=lambda version: version.id)
    return page(call, [(version.id, forms.properties(secret, version)) for version in shown])


def _apply(version: Version, body: UpdateBody) -> None:
    if body.attributes is not None:
        given = body.attributes
        version.enabled = version.enabled if given.enabled is None else given.enabled
        version.nbf = version.nbf if given.nbf is None else given.nbf
        version.exp = version.exp if given.exp is None else given.exp
    version.tags = version.tags if body.tags is None else body.tags
    version.content_type = version.content_type if body.content_type is None else body.content_type
