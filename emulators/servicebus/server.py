"""The emulator as a whole: listens on loopback, and stops in good order."""

import asyncio
import json
import logging
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from emulators.clock import Clock
from emulators.servicebus.amqp.connection import Connection
from emulators.servicebus.amqp.links import Link
from emulators.servicebus.broker.namespace import Namespace
from emulators.servicebus.broker.store import MemoryStore, SqliteStore
from emulators.servicebus.cbs import KEY, KEY_NAME, Tokens
from emulators.servicebus.config import load
from emulators.servicebus.faults import Faults
from emulators.servicebus.health import serve_health
from emulators.servicebus.nodes import Nodes

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
MAX_MESSAGE_SIZE = 262_144
"""As in Microsoft's emulator; the same number is advertised, for clients size batches by it."""

MAX_CONNECTIONS = 1000


class Server:
    """The container of all connections."""

    def __init__(
        self, namespace: Namespace, tokens: Tokens, *, max_message_size: int, faults: Faults
    ) -> None:
        self.container_id = f"servicebus-emulator-{uuid.uuid4().hex}"
        self.max_message_size = max_message_size
        self.namespace = namespace
        self.turn = namespace.turn
        self.connections: set[Connection] = set()
        self.health_port: int | None = None
        self.idle = asyncio.Event()
        self.idle.set()
        self.port = 0
        self._nodes = Nodes(namespace, tokens, faults)

    @property
    def connection_string(self) -> str:
        """What the SDKs need to connect."""
        return (
            f"Endpoint=sb://{HOST}:{self.port};SharedAccessKeyName={KEY_NAME};"
            f"SharedAccessKey={KEY};UseDevelopmentEmulator=true;"
        )

    @property
    def failed(self) -> asyncio.Event:
        """Set when the store cannot be written any more."""
        return self.turn.failed

    def attach(self, link: Link) -> None:
        self._nodes.attach(link)

    def connected(self, connection: Connection) -> None:
        self.connections.add(connection)
        self.idle.clear()
        if len(self.connections) > MAX_CONNECTIONS:
            log.warning("connection.refused: there are %s already", MAX_CONNECTIONS)
            connection.abort()

    def disconnected(self, connection: Connection) -> None:
        self.connections.discard(connection)
        if not self.connections:
            self.idle.set()


@asynccontextmanager
async def serving(  # noqa: PLR0913  each is one independent option of the emulator
    config: Path | str | Mapping[str, Any],
    port: int = 0,
    store: Path | None = None,
    *,
    durability: str = "normal",
    strict_sas: bool = False,
    max_message_size: int = MAX_MESSAGE_SIZE,
    health_port: int | None = None,
    faults: Faults | None = None,
    clock: Clock | None = None,
) -> AsyncIterator[Server]:
    """Serve inside the running event loop; port 0 takes a free one."""
    faults, clock = faults or Faults(), clock or Clock()
    definition = load(config)
    keep = SqliteStore(store, full=durability == "full") if store else MemoryStore()
    namespace = Namespace(definition, keep, clock)
    tokens = Tokens(clock, strict=strict_sas)
    server = Server(namespace, tokens, max_message_size=max_message_size, faults=faults)
    loop = asyncio.get_running_loop()
    listener = await loop.create_server(lambda: Connection(server), HOST, port)
    server.port = listener.sockets[0].getsockname()[1]
    health = await serve_health(HOST, health_port) if health_port is not None else None
    if health is not None:
        server.health_port = health.sockets[0].getsockname()[1]
    tasks = [loop.create_task(_follow(clock, namespace))]
    if faults.sweeps:
        tasks.append(loop.create_task(faults.sweep(server.connections)))
    log.info("server.started: %s", json.dumps({"port": server.port}))
    try:
        yield server
    finally:
        for task in tasks:
            task.cancel()
        for each in filter(None, (health, listener)):
            each.close()
        await _close_connections(server)
        namespace.close()


async def _follow(clock: Clock, namespace: Namespace) -> None:
    async for _ in clock.jumps():
        namespace.pass_time()


async def _close_connections(server: Server) -> None:
    """Say goodbye to the clients, and wait until their sockets are closed."""
    for connection in list(server.connections):
        connection.close()
    try:
        await asyncio.wait_for(server.idle.wait(), 1)
    except TimeoutError:
        for connection in list(server.connections):
            connection.abort()
