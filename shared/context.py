"""What a step gets besides its message."""

from __future__ import annotations  # the ports cost time that indexing need not spend

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from shared.ports import (
        AccountReader,
        AccountStore,
        Applications,
        AuditLog,
        Clock,
        Consents,
        Credentials,
        Directory,
        DirectoryReader,
        EntityReader,
        Federation,
        ImportStore,
        Ledger,
        Organisations,
        Outbox,
        PrivilegeReader,
        ResetTrial,
        Roles,
        Tokens,
        Vault,
    )


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """The outside, in our words."""

    clock: Clock
    directory: Directory
    applications: Applications
    consents: Consents
    roles: Roles
    audit_log: AuditLog
    credentials: Credentials
    federation: Federation
    tokens: Tokens
    vault: Vault
    organisations: Organisations
    outbox: Outbox
    ledger: Ledger
    account_reader: AccountReader
    account_store: AccountStore
    privileges: PrivilegeReader
    reset_trial: ResetTrial
    directory_reader: DirectoryReader
    import_store: ImportStore
    entity_reader: EntityReader
    app: str = ""  # front or worker, whose identity this is; empty where one does it all
    pace: float = 1.0  # scales every deliberate wait
    scan_slice: timedelta = timedelta(minutes=4)  # of a scan; a function may run for five minutes
    four_eyes: bool = True  # nobody approves what they asked for themselves
    onboarding_rate: int = 100  # requests to onboard of one caller in an hour
