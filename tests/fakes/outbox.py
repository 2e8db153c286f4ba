"""Queues in memory."""

from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter

from shared import telemetry
from shared.messages import Event, StepMessage, decode, encode
from tests.fakes.clock import FakeClock
from tests.fakes.faults import Faults, fallible


@dataclass(frozen=True)
class Sent:
    """A message for a queue; `at` is when it is delivered, `scheduled` whether that was asked."""

    step: str
    body: bytes
    id: str
    at: datetime
    scheduled: bool = False
    trace: str = ""  # property of the message

    @property
    def message(self) -> StepMessage:
        return decode(self.body)


@dataclass(frozen=True)
class SetAside:
    body: bytes
    message_id: str
    reason: str


class FakeOutbox:
    """Implements ``ports.Outbox``: `sent` is everything ever sent, `queued` what is undelivered."""

    def __init__(self, clock: FakeClock, faults: Faults) -> None:
        self.faults = faults
        self.sent: list[Sent] = []
        self.queued: list[Sent] = []
        self.events: list[Event] = []
        self.refused: list[SetAside] = []
        self._clock = clock

    @fallible("outbox.send")
    async def send(self, step: str, message: StepMessage, *, at: datetime | None = None) -> None:
        self._queue(
            Sent(
                step=step,
                body=encode(message),
                id=f"{message.operation}:{step}:{message.attempt}",
                at=at or self._clock.now(),
                scheduled=at is not None,
                trace=telemetry.carried(),
            )
        )

    @fallible("outbox.provision")
    async def provision(self, body: bytes, message_id: str) -> None:
        self._queue(Sent(step="provisioning", body=body, id=message_id, at=self._clock.now()))

    @fallible("outbox.publish")
    async def publish(self, event: Event) -> None:
        self.events.append(event)

    @fallible("outbox.set_aside")
    async def set_aside(self, body: bytes, message_id: str, reason: str) -> None:
        self.refused.append(SetAside(body, message_id, reason))

    def take(self) -> Sent | None:
        """Remove and return the message that is delivered next: by time, then as sent."""
        if not self.queued:
            return None
        first = min(self.queued, key=attrgetter("at"))
        self.queued.remove(first)
        return first

    def steps(self) -> list[str]:
        """Names of the queues written to, in order."""
        return [sent.step for sent in self.sent]

    def _queue(self, sent: Sent) -> None:
        self.sent.append(sent)
        self.queued.append(sent)
