"""A vault of the adapter, and the emulator that it asks."""

from dataclasses import dataclass
from datetime import UTC, datetime

from shared.adapters.keyvault import KeyVault
from shared.model.credential import NewSecret
from tests.emulators.keyvault.bench import Bench

NAME = "dvls-prod"
ENDS = datetime(2027, 5, 1, 12, 30, 15, tzinfo=UTC)
TAGS = {"operation": "op-1", "profile": "devolutions-server"}
VALUE = "~8Q~the.value-that_nobody-may-see"


@dataclass(frozen=True)
class Stage:
    vault: KeyVault
    bench: Bench

    async def fault(self, operation: str, fault: str, **more: object) -> None:
        await self.bench.admin("POST", "/faults", {"operation": operation, "fault": fault, **more})

    async def heal(self) -> None:
        await self.bench.admin("DELETE", "/faults")

    async def hits(self) -> int:
        return sum(fault["hits"] for fault in await self.bench.admin("GET", "/faults"))

    async def versions(self, name: str = NAME) -> int:
        state = await self.bench.admin("GET", "/state")
        return sum(len(secret["versions"]) for secret in state if secret["name"] == name)


def secret(key_id: str = "key-1", value: str = VALUE) -> NewSecret:
    return NewSecret(key_id=key_id, ends=ENDS, hint="~8Q", value=value)
