"""A vault in memory: versions, tags, expiry."""

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime

from shared.errors import TryLater
from shared.model.credential import Masked, NewSecret, StoredSecret
from shared.model.shape import Shape
from tests.fakes.clock import FakeClock
from tests.fakes.faults import Faults, fallible


@dataclass
class Version:
    """One version of a secret, with its value."""

    name: str
    value: str
    tags: dict[str, str]
    created: datetime
    expires: datetime | None
    enabled: bool = True
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    shape: Shape = Shape.CLIENT_SECRET

    def stored(self) -> StoredSecret:
        return StoredSecret(
            name=self.name,
            version=self.id,
            key_id=self.tags.get("keyId", ""),
            operation=self.tags.get("operation", ""),
            created=self.created,
            expires=self.expires,
            enabled=self.enabled,
            hint=self.tags.get("hint", ""),
            previous_key_id=self.tags.get("previousKeyId", ""),
            verified=self.tags.get("verified") == "true",
            shape=self.shape,
            thumbprint=self.tags.get("thumbprint", ""),
            tags=dict(self.tags),
        )


class FakeVault:
    """Implements ``ports.Vault``; `versions` has every version of a name, oldest first."""

    URL = "https://vault.example"

    def __init__(self, clock: FakeClock, faults: Faults) -> None:
        self.faults = faults
        self.versions: dict[str, list[Version]] = {}
        self.deleted: dict[str, list[Version]] = {}  # by name: kept, and the name is blocked
        self._clock = clock

    def type_in(self, name: str, value: str) -> Version:
        """Somebody adds a version by hand: it has neither tags nor an end."""
        made = Version(name=name, value=value, tags={}, created=self._clock.now(), expires=None)
        self.versions.setdefault(name, []).append(made)
        return made

    def value(self, name: str) -> str | None:
        """What a product that reads *name* gets."""
        version = self._current(name)
        return version.value if version else None

    @fallible("vault.current")
    async def current(self, name: str) -> StoredSecret | None:
        version = self._current(name)
        return version.stored() if version else None

    @fallible("vault.reveal")
    async def reveal(self, stored: StoredSecret) -> NewSecret | None:
        version = self._version(stored)
        if version is None or not version.enabled:
            return None
        return NewSecret(
            key_id=stored.key_id,
            ends=stored.expires or datetime.max.replace(tzinfo=UTC),
            hint=stored.hint,
            value=version.value,
            shape=stored.shape,
            thumbprint=stored.thumbprint,
        )

    @fallible("vault.put")
    async def put(self, name: str, secret: NewSecret, tags: dict[str, str]) -> StoredSecret:
        marks = {**tags, "keyId": secret.key_id, "hint": secret.hint}
        if secret.thumbprint:
            marks["thumbprint"] = secret.thumbprint
        return self._set(name, secret, marks, secret.ends)

    @fallible("vault.keep")
    async def keep(
        self, name: str, value: Masked, tags: dict[str, str], expires: datetime | None
    ) -> StoredSecret:
        return self._set(name, value, tags, expires)

    def _set(
        self, name: str, value: Masked, tags: dict[str, str], expires: datetime | None
    ) -> StoredSecret:
        if name in self.deleted:
            self.versions[name] = self.deleted.pop(name)
            raise TryLater("VAULT_RECOVERING", f"{name} was deleted; recovering it first")
        made = Version(
            name=name,
            value=value.reveal(),
            tags=dict(tags),
            created=self._clock.now(),
            expires=expires,
            shape=value.shape if isinstance(value, NewSecret) else Shape.CLIENT_SECRET,
        )
        self.versions.setdefault(name, []).append(made)
        return made.stored()

    @fallible("vault.all_versions")
    async def all_versions(self, name: str) -> list[StoredSecret]:
        return [version.stored() for version in self.versions.get(name, [])]

    @fallible("vault.remove")
    async def remove(self, name: str) -> None:
        if name in self.versions:
            self.deleted[name] = self.versions.pop(name)

    @fallible("vault.retag")
    async def retag(self, stored: StoredSecret, tags: dict[str, str]) -> None:
        self._there(stored).tags = dict(tags)

    @fallible("vault.disable")
    async def disable(self, stored: StoredSecret) -> None:
        self._there(stored).enabled = False

    def reference(self, name: str, version: str) -> str:
        return f"{self.URL}/secrets/{name}/{version}"

    def _current(self, name: str) -> Version | None:
        newest = self.versions.get(name, [None])[-1]
        return newest if newest is not None and newest.enabled else None

    def _version(self, stored: StoredSecret) -> Version | None:
        return next((v for v in self.versions.get(stored.name, []) if v.id == stored.version), None)

    def _there(self, stored: StoredSecret) -> Version:
        version = self._version(stored)
        if version is None:
            raise LookupError(f"{stored.name} has no version {stored.version}")
        return version
