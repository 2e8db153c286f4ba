"""Composition root: settings become adapters; the only module that builds them.

SDKs are imported on the first invocation, not while the host indexes the functions.
"""

import asyncio
from datetime import UTC, datetime, timedelta

from shared.context import Context
from shared.settings import Settings, SettingsError, exporting, load


class SystemClock:
    """Implements ``ports.Clock``."""

    def now(self) -> datetime:
        return datetime.now(UTC)


_observed = False


def observe() -> None:
    """Send telemetry from now on where the settings name somebody who takes it."""
    global _observed  # noqa: PLW0603 - one per process, as the host calls plain functions
    if _observed:
        return
    _observed = True
    wanted = exporting()
    if wanted.wanted:
        from shared.adapters.telemetry_export import start

        start(wanted)


_context: Context | None = None
_lock = asyncio.Lock()


async def context() -> Context:
    """The process's context, built on first use; raises `SettingsError` naming what is wrong."""
    global _context  # noqa: PLW0603 - one per process, as the host calls plain functions
    observe()
    async with _lock:
        if _context is None:
            try:
                _context = await build(load())
            except ValueError:  # an SDK's, whose text could quote what it was given
                raise SettingsError(
                    "malformed connection string: ServiceBus or KEYTURN_STORAGE"
                ) from None
        return _context


async def build(settings: Settings) -> Context:
    from shared.adapters.devops import DevOps
    from shared.adapters.graph_accounts import GraphAccounts
    from shared.adapters.graph_applications import GraphApplications
    from shared.adapters.graph_audit import GraphAuditLog
    from shared.adapters.graph_client import Graph
    from shared.adapters.graph_consents import GraphConsents
    from shared.adapters.graph_credentials import GraphCredentials
    from shared.adapters.graph_directory import GraphDirectory
    from shared.adapters.graph_entities import GraphEntities
    from shared.adapters.graph_federation import GraphFederation
    from shared.adapters.graph_imports import GraphImports
    from shared.adapters.graph_privileges import GraphPrivileges
    from shared.adapters.graph_roles import GraphRoles
    from shared.adapters.identity import own_credential
    from shared.adapters.keyvault import KeyVault
    from shared.adapters.reset_trial import GraphResetTrial
    from shared.adapters.servicebus import ServiceBusOutbox
    from shared.adapters.storage import open_storage
    from shared.adapters.tokens import EntraTokens

    credential = own_credential(settings)
    clock = SystemClock()
    try:  # first, as it may fail: nothing else has been opened then
        ledger, accounts, imports = await open_storage(settings, credential, clock)
    except BaseException:
        await credential.close()
        raise
    graph = Graph(settings, credential)
    return Context(
        clock=clock,
        directory=GraphDirectory(graph),
        applications=GraphApplications(graph, settings.pace),
        consents=GraphConsents(graph),
        roles=GraphRoles(graph, settings.pace),
        audit_log=GraphAuditLog(graph),
        credentials=GraphCredentials(graph, clock, settings.pace),
        federation=GraphFederation(graph),
        tokens=EntraTokens(settings),
        vault=KeyVault(settings, credential),
        organisations=DevOps(settings, credential),
        outbox=ServiceBusOutbox(settings, credential),
        ledger=ledger,
        account_reader=GraphAccounts(graph),
        account_store=accounts,
        directory_reader=GraphImports(graph),
        import_store=imports,
        privileges=GraphPrivileges(graph),
        reset_trial=GraphResetTrial(settings, graph),
        entity_reader=GraphEntities(graph),
        app=settings.app,
        pace=settings.pace,
        scan_slice=timedelta(seconds=settings.scan_slice),
        four_eyes=settings.four_eyes,
        onboarding_rate=settings.onboarding_rate,
    )
