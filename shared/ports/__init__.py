"""What steps need from the outside, in our words; `shared.adapters` implements it with the SDKs.

Readings answer None for "not there": absent and not yet replicated look alike, and only a
planner that knows the object's age can tell them apart. Every method may raise `TryLater`
(the service is not ready) or `NeedsHuman` (it refused).
"""

from shared.ports.accounts import (
    AccountReader,
    AccountStore,
    DirectoryReader,
    EntityReader,
    ImportStore,
    Staging,
)
from shared.ports.secrets import Credentials, Federation, ResetTrial, Tokens, Vault
from shared.ports.state import Clock, Ledger, Outbox, Turn
from shared.ports.tenant import (
    Applications,
    AuditLog,
    Consents,
    Directory,
    Organisations,
    PrivilegeReader,
    Roles,
)

__all__ = [
    "AccountReader",
    "AccountStore",
    "Applications",
    "AuditLog",
    "Clock",
    "Consents",
    "Credentials",
    "Directory",
    "DirectoryReader",
    "EntityReader",
    "Federation",
    "ImportStore",
    "Ledger",
    "Organisations",
    "Outbox",
    "PrivilegeReader",
    "ResetTrial",
    "Roles",
    "Staging",
    "Tokens",
    "Turn",
    "Vault",
]
