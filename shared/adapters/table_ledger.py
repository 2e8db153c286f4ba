"""The ledger on Azure Table storage. Source: "Designing scalable and performant tables"."""

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

from shared.adapters.ledger.audit import History, Refusals
from shared.adapters.ledger.connections import Connections
from shared.adapters.ledger.due import Due
from shared.adapters.ledger.errors import storage_errors
from shared.adapters.ledger.marks import Marks
from shared.adapters.ledger.operations import Operations
from shared.adapters.ledger.rates import Rates
from shared.adapters.ledger.table import Table
from shared.adapters.ledger.turns import Turns
from shared.errors import NeedsHuman
from shared.model.storage import PREFIX, TABLES, tables
from shared.ports import Clock

if TYPE_CHECKING:
    from azure.data.tables.aio import TableServiceClient

WRITE_SPACING = timedelta(seconds=10)
"""Between two writes to one application; closer ones are refused as concurrent."""


class TableLedger:
    """Implements ``ports.Ledger``: every method is that of the part which is about it."""

    def __init__(
        self,
        service: "TableServiceClient",
        clock: Clock,
        *,
        write_spacing: timedelta = WRITE_SPACING,
    ) -> None:
        self._service = service
        parts = {name: Table(service.get_table_client(PREFIX + name)) for name in TABLES}

        connections = Connections(parts["connections"])
        self.create = connections.create
        self.renew = connections.renew
        self.connection = connections.connection
        self.connections = connections.connections
        self.amend = connections.amend
        self.exchange = connections.exchange
        self.set_condition = connections.set_condition
        self.conclude = connections.conclude

        operations = Operations(parts["connections"], parts["operations"])
        self.begin = operations.begin
        self.operation = operations.operation
        self.operations = operations.operations
        self.advance = operations.advance
        self.forget = operations.forget

        history = History(parts["history"])
        self.record = history.record
        self.history = history.history

        refusals = Refusals(parts["refusals"])
        self.refuse = refusals.refuse
        self.refusals = refusals.refusals

        due = Due(parts["due"])
        self.set_due = due.set_due
        self.due = due.due
        self.due_times = due.due_times

        self.count = Rates(parts["rates"]).count

        marks = Marks(parts["marks"])
        self.mark = marks.mark
        self.marks = marks.marks
        self._parts = parts

        self.turn = Turns(parts["leases"], clock, write_spacing).turn

    async def check(self) -> None:
        """Read of each table; raises `NeedsHuman` or `TryLater` naming the first that fails."""
        await asyncio.gather(*(part.check() for part in self._parts.values()))

    async def ensure_tables(self) -> None:
        """Create the tables that are missing."""
        await asyncio.gather(*(self._ensure(name) for name in tables()))

    async def _ensure(self, name: str) -> None:
        try:
            with storage_errors(f"creating table {name}"):
                await self._service.create_table_if_not_exists(name)
        except NeedsHuman:
            # An identity that may only use the tables need not make them: the deployment has.
            # Should it have none of these rights, the first use of a table says so.
            return
