"""What a sweep costs at the storage: of a large ledger, of a small one, and when more is due."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from azure.core.pipeline.transport import AioHttpTransport
from azure.data.tables.aio import TableServiceClient

from bench.figures import Figure, Goal, Sample
from emulators.azurite.server import serving
from functions.sweeps import sweep
from shared.adapters.ledger.due import _changes, _of
from shared.adapters.ledger.table import Table, key
from shared.adapters.table_ledger import TableLedger
from shared.context import Context
from shared.messages import Event, StepMessage
from shared.model.connection import Connection, Spec
from shared.model.storage import PREFIX

SMALL, LARGE = 100, 10_000
DUE = 20
ROUNDS = 2
KIND = "verify"
AT_ONCE = 64
MOST = 50  # connections in one transaction: it has at most a hundred changes, two for each
LATER = datetime(2100, 1, 1, tzinfo=UTC)


class Wire(AioHttpTransport):  # type: ignore[misc] # imported lazily there, so untyped
    """Counts the storage transactions: each is one request."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = self.writes = 0

    async def send(self, request: Any, **options: Any) -> Any:
        answer = await super().send(request, **options)
        if request.method == "GET":
            self.reads += 1
        else:
            self.writes += 1
        return answer

    def clear(self) -> None:
        self.reads = self.writes = 0


class SystemClock:
    """Implements ``ports.Clock``."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class Sink:
    """Implements ``ports.Outbox``: what a sweep sends is no transaction of the storage."""

    def __init__(self) -> None:
        self.sent = 0

    async def send(
        self,
        step: str,  # noqa: ARG002 - the port's
        message: StepMessage,  # noqa: ARG002
        *,
        at: datetime | None = None,  # noqa: ARG002
    ) -> None:
        self.sent += 1

    async def provision(self, body: bytes, message_id: str) -> None: ...

    async def publish(self, event: Event) -> None: ...

    async def set_aside(self, body: bytes, message_id: str, reason: str) -> None: ...


class Stock:
    """A ledger that grows, and sweeps of it."""

    def __init__(self, ledger: TableLedger, due: Table, wire: Wire) -> None:
        self._due = due
        self.wire, self.sink = wire, Sink()
        self._ledger = ledger
        parts: dict[str, Any] = dict.fromkeys(Context.__struct_fields__)
        parts |= {"clock": SystemClock(), "outbox": self.sink, "ledger": ledger, "pace": 1.0}
        self._ctx = Context(**parts)
        self._names: list[str] = []
        self._fresh: list[str] = []

    async def grow(self, size: int) -> None:
        """Onboarded once, and due some time: one connection after the other, many at once."""
        names = [f"bench-{number:05}" for number in range(len(self._names), size)]
        waiting = iter(names)

        async def fill() -> None:
            for name in waiting:
                spec = Spec(name=name, profile="devolutions-server", features={}, inputs={})
                await self._ledger.create(Connection(spec=spec, created=datetime.now(UTC)))

        await asyncio.gather(*(fill() for _ in range(AT_ONCE)))
        for batch in _batches(names):
            changes = [
                c for name in batch for c in _changes(_of(name), None, name, LATER, drop=False)
            ]
            if not await self._due.transact(key(KIND), changes):
                raise RuntimeError("the due index was not empty")
        self._names += names
        self._fresh += names

    async def sweep(self, due: int) -> tuple[int, int]:
        """Reads and writes of one sweep that finds so many due.

        Each connection is taken once: its operation stays in flight.
        """
        taken, self._fresh = self._fresh[:due], self._fresh[due:]
        now = datetime.now(UTC) - timedelta(minutes=1)
        await asyncio.gather(*(self._ledger.set_due(KIND, name, now) for name in taken))
        self.wire.clear()
        started = await sweep(self._ctx, KIND)
        if started != due:
            raise RuntimeError(f"{started} operations were started where {due} were due")
        return self.wire.reads, self.wire.writes


async def measure(folder: Path) -> list[Figure]:
    async with serving(folder / "azurite", durable=False) as azurite:
        wire = Wire()
        async with TableServiceClient.from_connection_string(
            azurite.connection_string, transport=wire
        ) as service:
            ledger = TableLedger(service, SystemClock())
            await ledger.ensure_tables()
            stock = Stock(ledger, Table(service.get_table_client(f"{PREFIX}due")), wire)
            await stock.grow(1)
            await stock.sweep(1)  # the kinds of work are listed once in a process
            small, double = await swept(stock, SMALL)
            large, _ = await swept(stock, LARGE)
    return figures(small, double, large)


def _batches(names: list[str]) -> Iterator[list[str]]:
    return (names[start : start + MOST] for start in range(0, len(names), MOST))


async def swept(stock: Stock, size: int) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    await stock.grow(size)
    return [await stock.sweep(DUE) for _ in range(ROUNDS)], [await stock.sweep(2 * DUE)]


def figures(
    small: Sequence[tuple[int, int]],
    double: Sequence[tuple[int, int]],
    large: Sequence[tuple[int, int]],
) -> list[Figure]:
    def sample(what: str, of: Sequence[tuple[int, int]]) -> Sample:
        return Sample(what, "requests", tuple(float(reads + writes) for reads, writes in of))

    few = f"{DUE} due of {SMALL}"
    return [
        Figure(
            name=f"sweep of {LARGE} connections",
            sample=sample(f"{DUE} due of {LARGE}", large),
            base=sample(few, small),
            goal=Goal(at_most=1.2),
            details={"reads, writes": {"large": large, "small": small}},
        ),
        Figure(
            name="sweep that finds twice as much due",
            sample=sample(f"{2 * DUE} due of {SMALL}", double),
            base=sample(few, small),
            goal=Goal(at_least=1.8, at_most=2.2),
        ),
    ]
