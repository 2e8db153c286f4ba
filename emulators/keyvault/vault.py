"""The vault: its contents and everything that can be set on it while it runs."""

from collections import deque
from dataclasses import dataclass, field

import msgspec

from emulators.keyvault.bundles import Bundles
from emulators.keyvault.challenge import Gate
from emulators.keyvault.events import Events
from emulators.keyvault.faults import Faults
from emulators.keyvault.rbac import Rbac
from emulators.keyvault.settings import Settings
from emulators.keyvault.state import State

REMEMBERED = 100_000
"""Requests kept for the traffic log."""


class Exchange(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One request and its answer, without any value."""

    time: float
    method: str
    url: str
    operation: str
    status: int
    """0: the connection was dropped."""
    caller: str = ""
    fault: str = ""


class Lag(msgspec.Struct, forbid_unknown_fields=True):
    """Seconds that deletion and recovery take, on the emulated clock."""

    deletion: float = 0.0
    recovery: float = 0.0


class Latency(msgspec.Struct, forbid_unknown_fields=True):
    """Seconds that every answer takes, on the machine's clock; *jitter* is added at random."""

    seconds: float = 0.0
    jitter: float = 0.0
    seed: int = 0


@dataclass(kw_only=True)
class Vault:
    """What the operations and the administration work on."""

    settings: Settings
    port: int
    state: State
    rbac: Rbac
    faults: Faults
    events: Events
    gate: Gate
    lag: Lag
    latency: Latency = field(default_factory=Latency)
    traffic: deque[Exchange] = field(default_factory=lambda: deque(maxlen=REMEMBERED))

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def admin(self) -> str:
        return f"{self.url}/admin"

    @property
    def ca_file(self) -> str:
        return str((self.settings.tls / "ca.pem").absolute())

    def bundles(self, base: str) -> Bundles:
        return Bundles(self.settings, base)
