"""The ledger in memory."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec

from shared.adapters.ledger.turns import LEASE
from shared.errors import StepError, TryLater
from shared.model.connection import Condition, Connection, Offboarding, Operation, Spec
from tests.fakes.clock import FakeClock
from tests.fakes.faults import Faults, fallible


@dataclass
class Lease:
    """The turn of one connection; an empty holder has let go."""

    holder: str
    until: datetime
    wrote: datetime | None


class FakeTurn:
    """Implements ``ports.Turn``."""

    def __init__(self, clock: FakeClock, spacing: timedelta, wrote: datetime | None) -> None:
        self.wrote = wrote
        self._clock = clock
        self._spacing = spacing

    def before_write(self) -> None:
        if self.wrote is None:
            return
        left = self.wrote + self._spacing - self._clock.now()
        if left > timedelta(0):
            raise TryLater(
                "BUSY", "the last write is too recent", after=left, limit=HOUR, exact=True
            )

    def after_write(self) -> None:
        self.wrote = self._clock.now()


HOUR = timedelta(hours=1)


class FakeLedger:
    """Implements ``ports.Ledger``; rows are kept whole, audit data as JSON would return it."""

    def __init__(self, clock: FakeClock, faults: Faults, *, write_spacing: timedelta) -> None:
        self.faults = faults
        self.leases: dict[str, Lease] = {}
        self._clock = clock
        self._spacing = write_spacing
        self._connections: dict[str, Connection] = {}
        self._operations: dict[tuple[str, str], Operation] = {}
        self._history: dict[str, list[dict[str, Any]]] = {}
        self._refusals: dict[str, dict[str, Any]] = {}
        self._due: dict[str, dict[str, datetime]] = {}
        self._marks: dict[str, dict[str, Any]] = {}
        self._rates: dict[tuple[str, str], tuple[datetime, int]] = {}

    @fallible("ledger.create")
    async def create(self, connection: Connection) -> bool:
        name = connection.spec.name
        if name in self._connections:
            return False
        self._connections[name] = connection
        return True

    @fallible("ledger.renew")
    async def renew(self, connection: Connection) -> bool:
        name = connection.spec.name
        known = self._connections.get(name)
        if known is None or known.offboarding is None or known.offboarding.finished is None:
            return False
        self._connections[name] = connection
        return True

    @fallible("ledger.connection")
    async def connection(self, name: str) -> Connection | None:
        return self._connections.get(name)

    @fallible("ledger.connections")
    async def connections(self) -> list[Connection]:
        return [self._connections[name] for name in sorted(self._connections)]

    async def amend(self, name: str, **parts: Any) -> None:
        """Each set of fields fails by itself, such as ``ledger.amend(granted, roles)``."""

        @fallible(f"ledger.amend({', '.join(sorted(parts))})")
        async def change(ledger: FakeLedger) -> None:
            ledger._change(name, **parts)

        await change(self)

    @fallible("ledger.exchange")
    async def exchange(self, name: str, known: Spec, **parts: Any) -> bool:
        if name not in self._connections or self._connections[name].spec != known:
            return False
        self._change(name, **parts)
        return True

    @fallible("ledger.set_condition")
    async def set_condition(self, name: str, condition: Condition) -> None:
        self._put(name, condition)

    def _put(self, name: str, condition: Condition) -> None:
        others = [c for c in self._there(name).conditions if c.type != condition.type]
        order = list(type(condition.type))
        merged = sorted([*others, condition], key=lambda c: order.index(c.type))
        self._change(name, conditions=tuple(merged))

    @fallible("ledger.conclude")
    async def conclude(self, name: str, condition: Condition, *, known: Condition | None) -> bool:
        if self._there(name).condition(condition.type) not in (known, condition):
            return False
        self._put(name, condition)
        return True

    @fallible("ledger.begin")
    async def begin(
        self, operation: Operation, *, instead_of: str = "", leaving: Offboarding | None = None
    ) -> bool:
        name = operation.connection
        flight = self._operations.get((name, self._there(name).operation))
        same = self._operations.get((name, operation.id))
        if same is not None and (same.state != "running" or same is flight):
            return True
        if flight is not None and flight.state == "running" and flight.id != instead_of:
            return False
        self._operations[name, operation.id] = operation
        mark = self._there(name).offboarding or leaving
        self._change(name, operation=operation.id, offboarding=mark)
        return True

    @fallible("ledger.operation")
    async def operation(self, connection: str, operation: str) -> Operation | None:
        return self._operations.get((connection, operation))

    @fallible("ledger.operations")
    async def operations(self, connection: str) -> list[Operation]:
        found = [o for (name, _), o in self._operations.items() if name == connection]
        return sorted(found, key=lambda o: (o.started, o.id))

    @fallible("ledger.advance")
    async def advance(self, operation: Operation, *, known: Operation) -> bool:
        present = self._operations.get((operation.connection, operation.id), known)
        if (present.state, present.step) != (known.state, known.step):
            return False
        self._operations[operation.connection, operation.id] = operation
        return True

    @fallible("ledger.forget")
    async def forget(self, operation: Operation) -> None:
        self._operations.pop((operation.connection, operation.id), None)

    @fallible("ledger.record")
    async def record(self, connection: str, at: datetime, what: str, data: dict[str, Any]) -> None:
        row = _plain({**data, "at": at, "what": what})
        self._history.setdefault(connection, []).append(row)

    @fallible("ledger.history")
    async def history(self, connection: str) -> list[dict[str, Any]]:
        return sorted(self._history.get(connection, []), key=lambda row: str(row["at"]))

    @fallible("ledger.refuse")
    async def refuse(self, message_id: str, at: datetime, data: dict[str, Any]) -> None:
        self._refusals.setdefault(message_id, _plain({**data, "at": at, "message_id": message_id}))

    @fallible("ledger.refusals")
    async def refusals(self) -> list[dict[str, Any]]:
        return sorted(self._refusals.values(), key=lambda row: str(row["at"]))

    @fallible("ledger.set_due")
    async def set_due(self, kind: str, connection: str, due: datetime | None) -> None:
        times = self._due.setdefault(kind, {})
        if due is None:
            times.pop(connection, None)
        else:
            times[connection] = due

    @fallible("ledger.due")
    async def due(self, kind: str, now: datetime, limit: int) -> list[str]:
        late = sorted((at, name) for name, at in self._due.get(kind, {}).items() if at <= now)
        return [name for _, name in late[:limit]]

    @fallible("ledger.due_times")
    async def due_times(self, connection: str) -> dict[str, datetime]:
        return {kind: times[connection] for kind, times in self._due.items() if connection in times}

    @fallible("ledger.mark")
    async def mark(self, what: str, at: datetime, data: dict[str, Any]) -> None:
        self._marks[what] = _plain({**data, "at": at, "what": what})

    @fallible("ledger.marks")
    async def marks(self) -> dict[str, dict[str, Any]]:
        return dict(self._marks)

    @fallible("ledger.count")
    async def count(self, what: str, who: str, window: datetime) -> int:
        since, used = self._rates.get((what, who), (window, 0))
        used = used + 1 if since == window else 1
        self._rates[what, who] = (window, used)
        return used

    @asynccontextmanager
    async def turn(self, connection: str) -> AsyncIterator[FakeTurn]:
        lease = await self._acquire(connection)
        turn = FakeTurn(self._clock, self._spacing, lease.wrote)
        try:
            yield turn
        finally:
            with suppress(StepError):  # it lapses by itself, and must not hide what the step did
                await self._release(connection, lease, turn)

    @fallible("ledger.release")
    async def _release(self, connection: str, lease: Lease, turn: FakeTurn) -> None:
        present = self.leases[connection]
        present.wrote = turn.wrote or present.wrote
        if present.holder == lease.holder:
            present.holder = ""

    def is_held(self, lease: Lease, now: datetime) -> bool:
        """Whether its holder still has it: of a killed process it lapses."""
        return bool(lease.holder) and lease.until > now

    @fallible("ledger.turn")
    async def _acquire(self, connection: str) -> Lease:
        now, known = self._clock.now(), self.leases.get(connection)
        if known is not None and self.is_held(known, now):
            raise TryLater(
                "BUSY",
                f"another step is working on {connection}",
                after=timedelta(seconds=2),
                limit=HOUR,
            )
        wrote = known.wrote if known else None
        mine = Lease(holder=uuid.uuid4().hex, until=now + LEASE, wrote=wrote)
        self.leases[connection] = mine
        return mine

    def _there(self, name: str) -> Connection:
        if name not in self._connections:
            raise LookupError(f"no connection {name}")
        return self._connections[name]

    def _change(self, name: str, **fields: Any) -> None:
        self._connections[name] = msgspec.structs.replace(self._there(name), **fields)


def _plain(data: dict[str, Any]) -> dict[str, Any]:
    """What comes back from JSON."""
    back: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(data))
    return back
