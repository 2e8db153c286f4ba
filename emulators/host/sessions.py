"""Service Bus triggers with sessions.

Opening a receiver costs the Python SDK about half a second (it looks at one frame each 50 ms), so
receivers that wait for the next available session stay open: two when nothing happens, more after
sessions came in, never more than maxConcurrentSessions with those at work.
"""

import asyncio
import logging
import math
import random
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from azure.servicebus import NEXT_AVAILABLE_SESSION
from azure.servicebus.exceptions import OperationTimeoutError

from emulators.host.emulated_time import real_now
from emulators.host.listener import end
from emulators.host.service_bus import BackOff, Source, close
from emulators.host.settlement import Delivery

if TYPE_CHECKING:
    from azure.servicebus import ServiceBusReceivedMessage
    from azure.servicebus.aio import ServiceBusClient, ServiceBusReceiver

log = logging.getLogger("host.servicebus")

SPARE = 2
"""Receivers that wait for a session when nothing happens."""
MEMORY = 5.0
"""Seconds for which accepted sessions count as demand."""
IDLE = 1.0
"""Seconds an empty session is kept when host.json does not say."""
POLL = 1.0
"""Seconds the SDK waits on a socket in one go; the default of 0.2 costs five times the idle CPU."""
LOOK = 0.05
"""Seconds after which a receiver of an empty session looks whether another session waits."""
BREATH = 0.1
"""Seconds before a taken spare is replaced, so that opening it does not delay the message."""


class SessionListener:
    """Accepts sessions and works through each, one message at a time."""

    def __init__(
        self, source: Source, delivery: Delivery, client: Callable[[], "ServiceBusClient"]
    ) -> None:
        self._source, self._delivery, self._client = source, delivery, client
        self._back_off = BackOff(delivery.function.name)
        self._waiting = self._serving = 0
        self._accepted: deque[float] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._limit = delivery.options.max_concurrent_sessions
        self._idle = delivery.options.session_idle_timeout or IDLE

    async def run(self) -> None:
        """Listen until cancelled."""
        self._top_up()
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self._limit = 0  # nothing new while ending
            await end(*self._tasks)

    @property
    def starved(self) -> bool:
        """Whether all places are taken, so that another session would have to wait."""
        return self._waiting == 0

    def _top_up(self) -> None:
        now = asyncio.get_running_loop().time()
        while self._accepted and self._accepted[0] < now - MEMORY:
            self._accepted.popleft()
        wanted = min(self._limit - self._serving, max(SPARE, len(self._accepted)))
        while self._waiting < wanted:
            spare = self._waiting < SPARE
            self._waiting += 1
            # Not all reopen at once; what is more than the spares goes away when demand ends.
            patience = random.uniform(50, 70) if spare else MEMORY  # noqa: S311 - no secret
            task = asyncio.create_task(self._place(patience))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _place(self, patience: float) -> None:
        """Wait for one session, serve it, close it."""
        receiver = self._source.receiver(
            self._client(),
            session_id=NEXT_AVAILABLE_SESSION,
            max_wait_time=patience,
            prefetch_count=self._delivery.options.prefetch_count,
        )
        try:
            accepted = await self._accept(receiver)
            self._waiting -= 1
            if accepted:
                await self._serve(receiver)
        finally:
            self._top_up()
            await close(receiver)

    async def _accept(self, receiver: "ServiceBusReceiver") -> bool:
        try:
            await receiver.__aenter__()
        except OperationTimeoutError:
            self._back_off.works()
            return False
        except Exception as error:  # noqa: BLE001 - any failure of the link means: open another
            await self._back_off.failed(error)
            return False
        self._back_off.works()
        return True

    async def _serve(self, receiver: "ServiceBusReceiver") -> None:
        self._serving += 1
        loop = asyncio.get_running_loop()
        self._accepted.append(loop.time())
        loop.call_later(BREATH if self._waiting else 0, self._top_up)
        try:
            await self._drain(receiver)
        except Exception as error:  # noqa: BLE001 - the session is given up, its messages come back
            log.warning("%s: session interrupted: %s", self._delivery.function.name, error)
        finally:
            self._serving -= 1

    async def _drain(self, receiver: "ServiceBusReceiver") -> None:
        """Work until the session has been empty for a while, shorter when others wait."""
        loop = asyncio.get_running_loop()
        idle_since = loop.time()
        half = _left(receiver) / 2
        served = False  # the first message may take its time on a busy machine
        while True:
            if _left(receiver) < half:
                await receiver.session.renew_lock()
            messages = await self._next(receiver, gives_way=served)
            for message in messages:
                await self._delivery.handle(receiver, message)
                idle_since, served = loop.time(), True
            if not messages and (self.starved or loop.time() - idle_since >= self._idle):
                return

    async def _next(
        self, receiver: "ServiceBusReceiver", *, gives_way: bool
    ) -> list["ServiceBusReceivedMessage"]:
        """The next message, or none; an empty session gives way as soon as another waits."""
        receive = asyncio.create_task(
            receiver.receive_messages(max_message_count=1, max_wait_time=POLL)
        )
        try:
            await asyncio.wait({receive}, timeout=LOOK)
            while not receive.done() and not (gives_way and self.starved):
                await asyncio.wait({receive}, timeout=LOOK)
            return receive.result() if receive.done() else []
        finally:
            await end(receive)


def _left(receiver: "ServiceBusReceiver") -> float:
    """Seconds until the session's lock ends."""
    until = receiver.session.locked_until_utc
    return (until - real_now()).total_seconds() if until else math.inf
