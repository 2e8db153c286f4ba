"""One event of the vault, in the two schemas that Event Grid delivers."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, Protocol
from uuid import NAMESPACE_URL, uuid5

import msgspec

from emulators.keyvault.state import Secret, Version

Schema = Literal["EventGridSchema", "CloudEventSchemaV1_0"]
GROUP = "/subscriptions/00000000-0000-4000-8000-000000000000/resourceGroups/local"


@dataclass(frozen=True)
class Event:
    """A message ready for delivery."""

    id: str
    type: str
    body: bytes
    content_type: str


class Sender(Protocol):
    """Where events go."""

    async def send(self, event: Event) -> None: ...

    async def close(self) -> None: ...


@dataclass(frozen=True)
class Writer:
    """Words events of the vault *name*, reached at *url*."""

    name: str
    url: str
    schema: Schema = "EventGridSchema"
    odd_keys: bool = False
    """The trailing blank and the texts for numbers of the documentation's sample."""

    def event(self, secret: Secret, version: Version, kind: str, now: float) -> Event:
        """The id is the same each time, so that a repeated delivery can be told."""
        identifier = str(uuid5(NAMESPACE_URL, f"{self.url}/{secret.key}/{version.id}/{kind}"))
        time = datetime.fromtimestamp(now, UTC).isoformat().replace("+00:00", "Z")
        topic = f"{GROUP}/providers/Microsoft.KeyVault/vaults/{self.name}"
        common = {"id": identifier, "subject": secret.name, "data": self._data(secret, version)}
        if self.schema == "CloudEventSchemaV1_0":
            cloud = {"source": topic, "type": kind, "time": time, "specversion": "1.0"}
            content_type = "application/cloudevents+json; charset=utf-8"
            return Event(identifier, kind, msgspec.json.encode(common | cloud), content_type)
        grid = {
            "topic": topic,
            "eventType": kind,
            "eventTime": time,
            "dataVersion": "1",
            "metadataVersion": "1",
        }
        content_type = "application/json; charset=utf-8"
        return Event(identifier, kind, msgspec.json.encode([common | grid]), content_type)

    def _data(self, secret: Secret, version: Version) -> dict[str, Any]:
        return {
            "Id": f"{self.url}/secrets/{secret.name}/{version.id}",
            "VaultName": self.name,
            "ObjectType": "Secret",
            "ObjectName " if self.odd_keys else "ObjectName": secret.name,
            "Version": version.id,
            "NBF": self._number(version.nbf),
            "EXP": self._number(version.exp),
        }

    def _number(self, value: int | None) -> int | str | None:
        return str(value) if self.odd_keys and value is not None else value
