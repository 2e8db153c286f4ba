"""A sending client: hands single messages and batches to a queue or topic."""

from emulators.servicebus.broker.message import batch, parse
from emulators.servicebus.broker.queue import Queue
from emulators.servicebus.broker.topic import Topic
from emulators.servicebus.faults import Faults

BATCH_FORMAT = 0x80013700


class Producer:
    """Stands between one link and one entity."""

    def __init__(self, entity: Queue | Topic, faults: Faults) -> None:
        self._entity = entity
        self._faults = faults

    def receive(self, payload: bytes, message_format: int) -> None:
        """Check all messages of a batch before any of them is taken."""
        self._faults.strike()
        encoded = batch(payload) if message_format == BATCH_FORMAT else [payload]
        messages = [parse(each) for each in encoded]
        for message in messages:
            self._entity.check(message)
        for message in messages:
            self._entity.send(message)

    def closed(self) -> None:
        """Nothing is kept for a sender."""
