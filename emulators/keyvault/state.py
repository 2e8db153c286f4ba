"""What the vault holds: secrets, their versions, and in which phase of soft delete they are."""

from collections.abc import Iterable, Iterator
from enum import StrEnum

import msgspec

from emulators.keyvault.errors import (
    being_recovered,
    deleted_but_recoverable,
    secret_not_found,
)
from emulators.keyvault.settings import Settings
from emulators.keyvault.store import Store

DAY = 86_400


class Phase(StrEnum):
    """Soft delete: a name leaves the list at once, but is held until it is purged."""

    ACTIVE = "active"
    DELETING = "deleting"
    DELETED = "deleted"
    RECOVERING = "recovering"


class Version(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One value of a secret."""

    id: str
    number: int
    value: str
    created: int
    updated: int
    enabled: bool = True
    nbf: int | None = None
    exp: int | None = None
    content_type: str | None = None
    tags: dict[str, str] | None = None
    watched: bool = False
    """An event subscription existed when it was made."""
    sent: list[str] = []  # msgspec copies an empty default per instance
    """Event types already delivered for this version."""


class Secret(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A name with its versions, oldest first; the last one is current."""

    name: str
    deleted: float | None = None
    settled: float = 0.0
    """When the deletion or recovery that runs is through."""
    versions: list[Version] = []  # as above

    @property
    def key(self) -> str:
        """Names compare case-insensitively."""
        return self.name.lower()

    @property
    def current(self) -> Version:
        return self.versions[-1]

    def phase(self, now: float) -> Phase:
        if self.deleted is not None:
            return Phase.DELETING if now < self.settled else Phase.DELETED
        return Phase.RECOVERING if now < self.settled else Phase.ACTIVE

    def version(self, version: str) -> Version:
        """Answer that version, or the current one for an empty id."""
        if not version:
            return self.current
        for found in self.versions:
            if found.id == version.lower():
                return found
        raise secret_not_found(f"{self.name}/{version}")


class Issued(msgspec.Struct):
    """A value that was handed to the vault once; kept for leak checks, purged or not."""

    name: str
    version: str
    value: str


class State:
    """All secrets in memory, each change written to the store before it is answered."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings = settings
        self._store = store
        self._secrets: dict[str, Secret] = {}
        self.issued = [msgspec.json.decode(body, type=Issued) for body in store.under("issued/")]
        for body in store.under("secret/"):
            secret = msgspec.json.decode(body, type=Secret)
            kept = (
                msgspec.json.decode(one, type=Version)
                for one in store.under(f"version/{secret.key}/")
            )
            secret.versions = sorted(kept, key=lambda version: version.number)
            self._secrets[secret.key] = secret

    def __iter__(self) -> Iterator[Secret]:
        """All secrets in order of name, without those whose retention is over."""
        for key in sorted(self._secrets):
            secret = self.find(key)
            if secret is not None:
                yield secret

    @property
    def now(self) -> float:
        return self._settings.clock.time()

    def find(self, name: str) -> Secret | None:
        """Answer the secret in whatever phase; one whose retention is over is purged first."""
        secret = self._secrets.get(name.lower())
        if secret is not None and secret.deleted is not None and self.now >= self.purge_at(secret):
            self.drop(secret)
            return None
        return secret

    def active(self, name: str) -> Secret:
        """Answer a secret that can be used, else 404."""
        secret = self.find(name)
        if secret is None or secret.phase(self.now) is not Phase.ACTIVE:
            raise secret_not_found(name)
        return secret

    def free(self, name: str) -> Secret | None:
        """Answer the active secret of that name or `None`; refuse when the name is held."""
        secret = self.find(name)
        if secret is None:
            return None
        phase = secret.phase(self.now)
        if phase is Phase.RECOVERING:
            raise being_recovered(secret.name)
        if phase is not Phase.ACTIVE:
            raise deleted_but_recoverable(secret.name)
        return secret

    def purge_at(self, secret: Secret) -> float:
        """When the system purges the deleted *secret*."""
        return (secret.deleted or 0.0) + self._settings.retention_days * DAY

    def save(
        self, secret: Secret, versions: Iterable[Version] = (), *, issued: bool = False
    ) -> None:
        """Write *secret* and the changed *versions*; *issued* ones carry a new value."""
        changed = list(versions)
        head = msgspec.structs.replace(secret, versions=[])
        documents: dict[str, bytes | None] = {f"secret/{secret.key}": msgspec.json.encode(head)}
        for version in changed:
            documents[f"version/{secret.key}/{version.id}"] = msgspec.json.encode(version)
        handed = [Issued(secret.name, v.id, v.value) for v in changed] if issued else []
        for place, one in enumerate(handed, len(self.issued)):
            documents[f"issued/{place:09}"] = msgspec.json.encode(one)
        self._store.write(documents)
        self.issued.extend(handed)
        self._secrets[secret.key] = secret

    def drop(self, secret: Secret) -> None:
        """Forget *secret* with all versions."""
        keys = [f"secret/{secret.key}"]
        keys += [f"version/{secret.key}/{version.id}" for version in secret.versions]
        self._store.write(dict.fromkeys(keys))
        del self._secrets[secret.key]
