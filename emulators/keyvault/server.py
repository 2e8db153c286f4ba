"""The vault's HTTPS server."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from emulators.keyvault.admin import Admin
from emulators.keyvault.challenge import Gate
from emulators.keyvault.events import Events
from emulators.keyvault.exchange import add_routes
from emulators.keyvault.faults import Faults
from emulators.keyvault.rbac import Rbac
from emulators.keyvault.settings import Settings
from emulators.keyvault.state import State
from emulators.keyvault.store import Store
from emulators.keyvault.tokens import Tokens
from emulators.keyvault.vault import Lag, Vault
from emulators.tls import server_context

HOST = "127.0.0.1"
MAX_BODY = 64 * 1024 * 1024
"""A backup holds all versions, each up to 25 KB."""


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[Vault]:
    """Serve one vault in the running event loop."""
    listener = _listener(settings.port)
    store = Store(settings.store)
    try:
        vault = _vault(settings, store, listener.getsockname()[1])
        app = web.Application(client_max_size=MAX_BODY)
        Admin(vault).add_routes(app)
        add_routes(app, vault)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        site = web.SockSite(runner, listener, ssl_context=server_context(settings.tls))
        await site.start()
        delivering = asyncio.create_task(vault.events.run())
        try:
            yield vault
        finally:
            delivering.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await delivering
            await vault.events.close()
            await runner.cleanup()
    finally:
        store.close()
        listener.close()


def _listener(port: int) -> socket.socket:
    """Bound before the vault is made: its ids carry the port."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((HOST, port))
    return listener


def _vault(settings: Settings, store: Store, port: int) -> Vault:
    url = f"https://{HOST}:{port}"
    state = State(settings, store)
    tokens = Tokens(settings.authority, settings.tenant, settings.tls, settings.clock)
    return Vault(
        settings=settings,
        port=port,
        state=state,
        rbac=Rbac(settings.clock, store, settings.default_role, settings.grant_delay),
        faults=Faults(settings.clock),
        events=Events(settings, state, url),
        gate=Gate(settings, tokens, url),
        lag=Lag(settings.deletion_lag, settings.recovery_lag),
    )
