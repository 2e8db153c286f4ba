"""How one emulated vault is set up."""

from dataclasses import dataclass, field
from pathlib import Path

from emulators.clock import Clock
from emulators.keyvault.rbac import Role

TENANT = "11111111-2222-4333-8444-555555555555"
"""Tenant in the challenge when no authority was given."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Fixed at the start, as with a real vault's properties."""

    tls: Path
    """Folder of the certificate authority; clients trust ``tls / "ca.pem"``."""
    port: int = 0
    clock: Clock = field(default_factory=Clock)
    authority: str | None = None
    """Base URL of the token issuer. Without one, every bearer token is accepted unverified."""
    tenant: str = TENANT
    store: Path | None = None
    """SQLite file that outlives the process; without it the vault is forgotten."""
    name: str = "local-vault"
    retention_days: int = 90
    purge_protection: bool = False
    deletion_lag: float = 0.0
    recovery_lag: float = 0.0
    default_role: Role = Role.OFFICER
    grant_delay: float = 0.0

    def __post_init__(self) -> None:
        if not 7 <= self.retention_days <= 90:
            raise ValueError("retention_days must be from 7 to 90, as in Key Vault")

    @property
    def recovery_level(self) -> str:
        """How the service words retention and purge protection in every bundle."""
        level = "Recoverable" if self.retention_days == 90 else "CustomizedRecoverable"
        return level if self.purge_protection else f"{level}+Purgeable"
