"""In-memory implementations, with state, of every protocol in `shared.ports`."""

from datetime import timedelta
from typing import Any

from shared.context import Context
from tests.fakes.accounts import FakeAccountReader
from tests.fakes.applications import FakeApplications
from tests.fakes.audit import FakeAuditLog
from tests.fakes.clock import START, FakeClock
from tests.fakes.consents import FakeConsents
from tests.fakes.credentials import FakeCredentials, FakeTokens
from tests.fakes.directory import FakeDirectory, FakeRoles
from tests.fakes.entities import FakeEntityReader
from tests.fakes.federation import FakeFederation
from tests.fakes.imports import FakeDirectoryReader, FakeImportStore
from tests.fakes.ledger import FakeLedger
from tests.fakes.organisations import FakeOrganisations
from tests.fakes.outbox import FakeOutbox, Sent
from tests.fakes.privileges import FakePrivileges, FakeResetTrial
from tests.fakes.snapshots import FakeAccountStore
from tests.fakes.tenant import FakeTenant
from tests.fakes.vault import FakeVault

__all__ = ["START", "FakeClock", "FakeContext", "FakeTenant", "Sent", "fake_context"]

WRITE_SPACING = timedelta(seconds=10)


class FakeContext(Context, frozen=True, kw_only=True):
    """A context whose parts show what they hold; `tenant.fail` makes any of them fail."""

    tenant: FakeTenant
    clock: FakeClock
    directory: FakeDirectory
    applications: FakeApplications
    consents: FakeConsents
    roles: FakeRoles
    audit_log: FakeAuditLog
    credentials: FakeCredentials
    federation: FakeFederation
    tokens: FakeTokens
    vault: FakeVault
    organisations: FakeOrganisations
    outbox: FakeOutbox
    ledger: FakeLedger
    account_reader: FakeAccountReader
    account_store: FakeAccountStore
    directory_reader: FakeDirectoryReader
    import_store: FakeImportStore
    privileges: FakePrivileges
    reset_trial: FakeResetTrial
    entity_reader: FakeEntityReader


def fake_context(
    *, tenant: FakeTenant | None = None, write_spacing: timedelta = WRITE_SPACING, **overrides: Any
) -> FakeContext:
    """A fresh world. *overrides* replace parts of the context by name."""
    tenant = tenant or FakeTenant()
    clock, faults = tenant.clock, tenant.faults
    reader = FakeAccountReader(tenant)
    privileges = FakePrivileges(tenant, reader.people)
    parts: dict[str, Any] = {
        "clock": clock,
        "directory": FakeDirectory(tenant),
        "applications": FakeApplications(tenant),
        "consents": FakeConsents(tenant),
        "roles": FakeRoles(tenant),
        "audit_log": FakeAuditLog(tenant),
        "credentials": FakeCredentials(tenant),
        "federation": FakeFederation(tenant),
        "tokens": FakeTokens(tenant),
        "vault": FakeVault(clock, faults),
        "organisations": FakeOrganisations(tenant),
        "outbox": FakeOutbox(clock, faults),
        "ledger": FakeLedger(clock, faults, write_spacing=write_spacing),
        "account_reader": reader,
        "account_store": FakeAccountStore(faults),
        "directory_reader": FakeDirectoryReader(tenant, reader.people),
        "import_store": FakeImportStore(faults),
        "privileges": privileges,
        "reset_trial": FakeResetTrial(tenant, reader.people, privileges),
        "entity_reader": FakeEntityReader(tenant),
    }
    return FakeContext(tenant=tenant, **{**parts, **overrides})
