"""What outlives messages: the ledger, queues, and the right to work on a connection."""

from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any, Protocol

from shared.messages import Event, StepMessage
from shared.model.connection import Condition, Connection, Offboarding, Operation, Spec


class Clock(Protocol):
    def now(self) -> datetime:
        """The present time, aware, in UTC."""


class Outbox(Protocol):
    async def send(self, step: str, message: StepMessage, *, at: datetime | None = None) -> None:
        """Queue a message for a step, at once or at a time."""

    async def provision(self, body: bytes, message_id: str) -> None:
        """Queue an onboarding request as other systems do."""

    async def publish(self, event: Event) -> None: ...
    async def set_aside(self, body: bytes, message_id: str, reason: str) -> None:
        """Keep a refused message, as it came, in the ``refused`` queue."""


class Turn(Protocol):
    """The right to work on one connection; held by one step at a time."""

    def before_write(self) -> None:
        """Raise `TryLater` while the last write to the application is too recent."""

    def after_write(self) -> None:
        """Note that the application was written to just now."""


class Ledger(Protocol):
    """State that outlives messages."""

    async def create(self, connection: Connection) -> bool:
        """Insert; False when a connection of that name is there."""

    async def renew(self, connection: Connection) -> bool:
        """Put it in the place of one of its name that is offboarded; False when there is none."""

    async def connection(self, name: str) -> Connection | None: ...
    async def connections(self) -> list[Connection]: ...
    async def amend(self, name: str, **parts: Any) -> None:
        """Replace fields of a connection; writers of different fields never undo one another."""

    async def exchange(self, name: str, known: Spec, **parts: Any) -> bool:
        """Replace fields while the spec still is *known*; False when somebody changed it."""

    async def set_condition(self, name: str, condition: Condition) -> None: ...
    async def conclude(self, name: str, condition: Condition, *, known: Condition | None) -> bool:
        """Set it in place of *known*; False when it is another one by now.

        A queue may give the same message to two processes: one that waits, by what it saw, must
        not be the last word on what the other has found.
        """

    async def begin(
        self, operation: Operation, *, instead_of: str = "", leaving: Offboarding | None = None
    ) -> bool:
        """Make *operation* the one in flight; False while another one is running.

        Beginning the operation that is in flight already is success. The running operation
        *instead_of* gives way; its row stays as it is, for the caller to end. With *leaving* the
        connection is marked as being offboarded in the same write, unless it is already: later,
        the mark could hit the one that has taken up the name by then.
        """

    async def operation(self, connection: str, operation: str) -> Operation | None: ...
    async def operations(self, connection: str) -> list[Operation]: ...
    async def advance(self, operation: Operation, *, known: Operation) -> bool:
        """Store an operation in place of *known*.

        False when its state or step is another one by now: a queue may give the same message to
        two processes, and the slower one must not bring back what the other has ended.
        """

    async def forget(self, operation: Operation) -> None:
        """Remove the row of a finished operation; one that is gone already is success."""

    async def record(self, connection: str, at: datetime, what: str, data: dict[str, Any]) -> None:
        """Append to the audit history, which is never changed or deleted."""

    async def history(self, connection: str) -> list[dict[str, Any]]: ...
    async def refuse(self, message_id: str, at: datetime, data: dict[str, Any]) -> None:
        """Record a refused message; repeated refusals of one message are one row."""

    async def refusals(self) -> list[dict[str, Any]]: ...
    async def set_due(self, kind: str, connection: str, due: datetime | None) -> None:
        """Note when *kind* of work is due for a connection; None takes it off the index."""

    async def due(self, kind: str, now: datetime, limit: int) -> list[str]:
        """Connections whose *kind* of work is due, the longest overdue first."""

    async def due_times(self, connection: str) -> dict[str, datetime]: ...
    async def mark(self, what: str, at: datetime, data: dict[str, Any]) -> None:
        """Note when something was last done, in place of the time before."""

    async def marks(self) -> dict[str, dict[str, Any]]:
        """What was noted last, with its time in ``at``."""

    async def count(self, what: str, who: str, window: datetime) -> int:
        """Note that somebody asks once more; how often since *window* began, this one included."""

    def turn(self, connection: str) -> AbstractAsyncContextManager[Turn]:
        """Take the connection's lease, or raise `TryLater` while another step holds it."""
