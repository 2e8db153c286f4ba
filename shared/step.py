"""Steps: one function per queue. Declaring one is all it takes to have its trigger and queue."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec

from shared import telemetry
from shared.context import Context
from shared.errors import Doubt, NeedsHuman, StepError, TryLater
from shared.messages import StepMessage, announcement, doubted, exhausted, given_up
from shared.model.connection import Aspect, Connection, Operation
from shared.ports import Turn
from shared.profile import Profile

BELIEVED = timedelta(minutes=2)
"""Replicas differ for so long: what one read finds wrong may be right in the next."""

LOOK_AGAIN = timedelta(seconds=45)


class Done(msgspec.Struct, frozen=True):
    """A step's success: `reason` and `message` go into its condition."""

    reason: str
    message: str


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """What a step works on; gathered by the runtime."""

    message: StepMessage
    connection: Connection
    profile: Profile
    turn: Turn
    ctx: Context
    now: datetime
    operation: Operation

    @property
    def options(self) -> tuple[str, ...]:
        """What the operation's caller allows, or decides."""
        return self.operation.options

    async def record(self, what: str, /, **data: Any) -> None:
        """Log a change and append it to the audit history; never with a secret value."""
        telemetry.event(what, **data)
        asked = {"operation": self.message.operation, **data}
        if requests := telemetry.take_writes():
            asked["graph_requests"] = requests
        await self.ctx.ledger.record(self.connection.spec.name, self.ctx.clock.now(), what, asked)

    async def announce(
        self, what: str, data: dict[str, Any], *, at: datetime, mark: str = "", once: str = ""
    ) -> None:
        """Publish an event of this operation: a repeat has the same id, and is told once.

        *once* is the whole id of what is told once whichever operation comes upon it.
        """
        await self.ctx.outbox.publish(
            announcement(
                what,
                id_=once or f"{self.message.operation}:{mark or what}",
                connection=self.connection.spec.name,
                at=at,
                data=data,
            )
        )

    def wait(self, code: str, message: str, *, seconds: float, minutes: float = 15) -> TryLater:
        """A deliberate wait."""
        return TryLater(
            code, message, after=timedelta(seconds=seconds), limit=timedelta(minutes=minutes)
        )

    def final(self, error: StepError) -> NeedsHuman | None:
        """What a person is told when there is no more time to wait; None while there is."""
        if isinstance(error, NeedsHuman):
            return error
        if isinstance(error, TryLater) and exhausted(self.message, error, self.ctx.clock.now()):
            return given_up(self.message, error, self.ctx.clock.now())
        return None

    def doubt(self, problem: NeedsHuman) -> StepError:
        """A wait while a finding is fresh, the finding itself once it has lasted."""
        if doubted(self.message, problem.code, self.now) >= BELIEVED * self.ctx.pace:
            return problem
        return Doubt(problem.code, problem.message, after=LOOK_AGAIN)


Handler = Callable[[Work], Awaitable[Done | None]]
"""None leaves the condition as it is: there was nothing to do."""

Entrance = Callable[[bytes, str, Context], Awaitable[None]]


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A queue and what is done with its messages."""

    name: str  # of the step and of its queue
    about: str
    aspect: Aspect | None = None  # the condition that this step moves
    work: Handler | None = None
    entrance: Entrance | None = None  # set for queues that other systems write to

    @property
    def session(self) -> bool:
        """Steps take one message of a connection at a time; outsiders need not know sessions."""
        return self.entrance is None


STEPS: dict[str, Step] = {}
"""Every declared step by name; filled by importing `functions.steps`."""


def step(aspect: Aspect | None = None) -> Callable[[Handler], Handler]:
    """Declare a step of the chain: the function's name is the name of its queue."""

    def declare(handler: Handler) -> Handler:
        _add(handler, Step(name=_name(handler), about=_about(handler), aspect=aspect, work=handler))
        return handler

    return declare


def entrance(queue: str) -> Callable[[Entrance], Entrance]:
    """Declare the consumer of a queue that other systems write to."""

    def declare(handler: Entrance) -> Entrance:
        _add(handler, Step(name=queue, about=_about(handler), entrance=handler))
        return handler

    return declare


def _add(handler: Any, made: Step) -> None:
    if made.name in STEPS:
        raise ValueError(f"two steps are called {made.name}: see {handler.__module__}")
    STEPS[made.name] = made


def _name(handler: Any) -> str:
    return str(handler.__name__).replace("_", "-")


def _about(handler: Any) -> str:
    return str(handler.__doc__ or "").strip().splitlines()[0]
