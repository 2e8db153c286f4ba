"""One message: invoke the function under lock renewal, then settle as the Azure host does.

Success completes, failure abandons without delay (so the broker redelivers at once with a higher
delivery count and dead-letters past the maximum). A host that ends settles nothing: the message
comes back when its lock expires.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from azure.servicebus.exceptions import ServiceBusError

from emulators.host import logs
from emulators.host.context import Call
from emulators.host.emulated_time import real_now
from emulators.host.function import Function
from emulators.host.host_json import ServiceBusOptions
from emulators.host.listener import Runner, end
from emulators.host.metadata import body, metadata, trigger

if TYPE_CHECKING:
    from azure.servicebus import ServiceBusReceivedMessage
    from azure.servicebus.aio import ServiceBusReceiver

log = logging.getLogger("host.servicebus")

Renew = Callable[[], Awaitable[datetime]]


@dataclass(frozen=True)
class Delivery:
    """How messages of one trigger are handled."""

    function: Function
    runner: Runner
    options: ServiceBusOptions
    session: bool

    async def handle(
        self, receiver: "ServiceBusReceiver", message: "ServiceBusReceivedMessage"
    ) -> None:
        """Invoke and settle; never raises for a function that fails or a lock that is lost."""
        values = metadata(message, session=self.session)
        data, values = trigger(body(message), self.function.trigger.get("dataType"), values)
        call = Call(data=data, metadata=values)
        renewal = asyncio.create_task(self._renew(receiver, message))
        try:
            outcome = await self.runner.run(self.function, call)
        finally:
            await end(renewal)
        if outcome.ok and not self.options.auto_complete:
            return
        settle = receiver.complete_message if outcome.ok else receiver.abandon_message
        with logs.invocation(self.function.name, call.id):
            try:
                await settle(message)
            except (ServiceBusError, ValueError, OSError) as error:
                log.warning("%s failed: %s", settle.__name__, error)

    async def _renew(
        self, receiver: "ServiceBusReceiver", message: "ServiceBusReceivedMessage"
    ) -> None:
        """Keep the lock of the message or of its session, for at most the configured time."""
        if self.session:
            session = receiver.session
            await keep(session.locked_until_utc, session.renew_lock, self.options)
            return

        async def renew() -> datetime:
            return await receiver.renew_message_lock(message)

        await keep(message.locked_until_utc, renew, self.options)


async def keep(until: datetime | None, renew: Renew, options: ServiceBusOptions) -> None:
    """Renew at half of what is left of the lock, again and again, up to the maximum duration."""
    loop = asyncio.get_running_loop()
    end_of_renewal = loop.time() + options.max_auto_lock_renewal
    while until is not None:
        left = (until - real_now()).total_seconds()
        if loop.time() + left / 2 >= end_of_renewal:
            return
        await asyncio.sleep(max(left / 2, 0.1))
        try:
            until = await renew()
        except (ServiceBusError, ValueError, OSError) as error:
            log.warning("lock not renewed: %s", error)
            return
