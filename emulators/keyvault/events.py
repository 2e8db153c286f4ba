"""When the vault's events are due: near expiry, expired, new version."""

import asyncio
import heapq
import logging
from collections.abc import Iterator

from emulators.keyvault.event import Schema, Sender, Writer
from emulators.keyvault.settings import Settings
from emulators.keyvault.state import DAY, Secret, State, Version

log = logging.getLogger(__name__)

NEAR_EXPIRY = "Microsoft.KeyVault.SecretNearExpiry"
EXPIRED = "Microsoft.KeyVault.SecretExpired"
NEW_VERSION = "Microsoft.KeyVault.SecretNewVersionCreated"
NEAR = 30 * DAY
"""Seconds before expiry at which the near-expiry event fires; not configurable in the service."""
LOOK = 0.1
"""Seconds between looks at the clock, which another process may have moved."""
PAUSE = 1.0
"""Seconds before a delivery that failed is tried again."""


class Events:
    """Delivers each event once per version, and only for versions made under a subscription."""

    def __init__(self, settings: Settings, state: State, url: str) -> None:
        self._state = state
        self._writer = Writer(settings.name, url)
        self._sender: Sender | None = None
        self._due: list[tuple[float, str, str, str]] = []
        for secret in state:
            for version in secret.versions:
                self.watch(secret, version)

    @property
    def subscribed(self) -> bool:
        return self._sender is not None

    async def subscribe(
        self, sender: Sender, schema: Schema = "EventGridSchema", *, odd_keys: bool = False
    ) -> None:
        """Deliver to *sender* from now on, in place of the one before."""
        await self.close()
        self._sender = sender
        self._writer = Writer(self._writer.name, self._writer.url, schema, odd_keys)

    def watch(self, secret: Secret, version: Version) -> None:
        """Remember what *version* will have to report."""
        if not version.watched:
            return
        for kind, due in _times(version):
            if kind not in version.sent:
                heapq.heappush(self._due, (due, secret.key, version.id, kind))

    async def run(self) -> None:
        """Deliver what is due, for ever."""
        while True:
            try:
                delivered = await self.deliver()
            except Exception:
                # As Event Grid: whatever the destination's trouble, keep the event and try again.
                log.exception("event.delivery-failed")
                await asyncio.sleep(PAUSE)
            else:
                await asyncio.sleep(0 if delivered else LOOK)

    async def deliver(self) -> bool:
        """Deliver the first event that is due; answer whether there was one."""
        now = self._state.now
        if self._sender is None or not self._due or self._due[0][0] > now:
            return False
        entry = self._due[0]
        due, key, version_id, kind = entry
        secret = self._state.find(key)
        version = _reporting(secret, version_id, kind, due)
        if secret is not None and version is not None:
            await self._sender.send(self._writer.event(secret, version, kind, now))
            version.sent = [*version.sent, kind]
            # It may have been purged while it was on its way.
            if self._state.find(key) is secret:
                self._state.save(secret, [version])
        # Others may have been pushed meanwhile: take out this very entry.
        self._due.remove(entry)
        heapq.heapify(self._due)
        return True

    async def close(self) -> None:
        """Close the sender; what is due stays due."""
        if self._sender is not None:
            await self._sender.close()
            self._sender = None


def _times(version: Version) -> Iterator[tuple[str, float]]:
    yield NEW_VERSION, float(version.created)
    if version.exp is not None:
        yield NEAR_EXPIRY, float(version.exp - NEAR)
        yield EXPIRED, float(version.exp)


def _reporting(secret: Secret | None, version_id: str, kind: str, due: float) -> Version | None:
    """Answer the version if the event still holds: expiry is of the current version only."""
    if secret is None or secret.deleted is not None:
        return None
    version = next((one for one in secret.versions if one.id == version_id), None)
    if version is None or kind in version.sent or (kind, due) not in _times(version):
        return None
    return version if kind == NEW_VERSION or version is secret.current else None
