"""Optional faults, after Microsoft's page on AMQP errors in Service Bus."""

import asyncio
import random
from dataclasses import dataclass, field

from emulators.servicebus.amqp.connection import Connection
from emulators.servicebus.amqp.errors import AmqpError


@dataclass
class Faults:
    """Seconds or a share; 0 switches a fault off."""

    idle_link: float = 0  # Azure: 600
    idle_connection: float = 0  # a connection without links; Azure: 300
    token_deadline: float = 0  # a connection that puts no token; Azure: 20
    busy: float = 0  # share of sends that are refused with server-busy
    seed: int = 0
    _random: random.Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311  repeatable faults, no secret

    def strike(self) -> None:
        """Refuse this send now and then."""
        if self.busy and self._random.random() < self.busy:
            raise AmqpError(
                "com.microsoft:server-busy", "The request was terminated because it is throttled."
            )

    @property
    def sweeps(self) -> bool:
        return bool(self.idle_link or self.idle_connection or self.token_deadline)

    async def sweep(self, connections: set[Connection]) -> None:
        """Cut what has been idle for too long, for ever."""
        times = (self.idle_link, self.idle_connection, self.token_deadline)
        pause = min(time for time in times if time) / 4
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(pause)
            for connection in list(connections):
                self._cut(connection, loop.time())

    def _cut(self, connection: Connection, now: float) -> None:
        age = now - connection.made_at
        if self.token_deadline and not connection.authorized and age > self.token_deadline:
            connection.abort()
            return
        sessions = connection.sessions.values()
        links = [link for session in sessions for link in session.links.values()]
        for link in links:
            if self.idle_link and link.attached and now - link.used_at > self.idle_link:
                link.detach(AmqpError("amqp:link:detach-forced", "The link was idle too long."))
        alive = [link for link in links if not link.detached]
        if alive:
            connection.linked_at = now
        elif self.idle_connection and now - connection.linked_at > self.idle_connection:
            connection.fail(AmqpError("amqp:connection:forced", "The connection has no links."))
