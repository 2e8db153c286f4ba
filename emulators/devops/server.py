"""The HTTPS server of the emulated Azure DevOps."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from emulators.devops.service import DevOps, Settings
from emulators.devops.state import State, seeded
from emulators.tls import server_context

__all__ = ["Running", "Settings", "serving"]

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Running:
    """A listening emulator."""

    state: State
    port: int

    @property
    def url(self) -> str:
        return f"https://{HOST}:{self.port}"

    @property
    def admin(self) -> str:
        return f"{self.url}/admin"


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[Running]:
    """Serve on 127.0.0.1 inside the running loop until the block ends."""
    state = seeded(settings.tenant)
    runner = web.AppRunner(
        DevOps(settings, state).application(), access_log=None, shutdown_timeout=1
    )
    await runner.setup()
    listener = socket.create_server((HOST, settings.port))
    try:
        await web.SockSite(runner, listener, ssl_context=server_context(settings.tls)).start()
        yield Running(state, listener.getsockname()[1])
    finally:
        await runner.cleanup()
        listener.close()
