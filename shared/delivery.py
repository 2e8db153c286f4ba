"""A message to a step, and the rows that it is about."""

import asyncio

import msgspec

from shared.context import Context
from shared.messages import StepMessage, step_after
from shared.model.connection import Connection, Operation
from shared.operations import OFFBOARD
from shared.step import Step


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """A message, and the rows that it is about."""

    step: Step
    message: StepMessage
    connection: Connection
    operation: Operation
    ctx: Context

    @property
    def stale(self) -> bool:
        """Whether the operation is over, replaced, or past this step."""
        return (
            self.operation.state != "running"
            or self.connection.operation != self.operation.id
            or self.operation.step != self.step.name
        )

    @property
    def overtaken(self) -> bool:
        """Whether the connection is being offboarded, or is: nothing else is done for it."""
        leaving = self.connection.offboarding is not None
        return leaving and self.operation.kind != OFFBOARD and self.operation.state == "running"

    @property
    def moved_on(self) -> bool:
        """Whether there is nothing left to do for this message in this step."""
        return self.overtaken or self.stale

    @property
    def replaced(self) -> bool:
        """Whether its place is another's, and it could not be ended: an emergency, or its name was
        offboarded and taken up anew."""
        return self.operation.state == "running" and self.connection.operation != self.operation.id

    @property
    def handed_on(self) -> bool:
        """Whether this step is done, and its successor's message perhaps not sent."""
        following = step_after(self.message.kind, self.step.name)
        return self.operation.state == "running" and self.operation.step == following


async def gather(step: Step, message: StepMessage, ctx: Context) -> Delivery | None:
    connection, operation = await asyncio.gather(
        ctx.ledger.connection(message.connection),
        ctx.ledger.operation(message.connection, message.operation),
    )
    if connection is None or operation is None:
        return None
    return Delivery(step=step, message=message, connection=connection, operation=operation, ctx=ctx)
