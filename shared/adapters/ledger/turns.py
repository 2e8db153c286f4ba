"""Turns: a connection's lease, which lapses by itself when its holder dies."""

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared import telemetry
from shared.adapters.ledger.columns import pack, unpack, unpack_or
from shared.adapters.ledger.table import Table, key
from shared.errors import StepError, TryLater
from shared.ports import Clock

ROW = "turn"

LEASE = timedelta(seconds=20)
"""Renewed while the step runs; short, so that the turn of a killed process is free soon."""

RENEWAL = timedelta(seconds=6)

AGAIN = timedelta(seconds=2)
LIMIT = timedelta(hours=1)
ATTEMPTS = 5


@dataclass
class Lease:
    """A lease that is held; the tag names the version of its row and changes with renewals."""

    connection: str
    holder: str
    tag: str
    wrote: datetime | None


class TableTurn:
    """Implements ``ports.Turn``."""

    def __init__(self, clock: Clock, spacing: timedelta, wrote: datetime | None) -> None:
        self.wrote = wrote
        self._clock = clock
        self._spacing = spacing

    def before_write(self) -> None:
        if self.wrote is None:
            return
        left = self.wrote + self._spacing - self._clock.now()
        if left > timedelta(0):
            raise TryLater(
                "BUSY",
                "the last write to the application is too recent",
                after=left,
                limit=LIMIT,
                exact=True,
            )

    def after_write(self) -> None:
        self.wrote = self._clock.now()


class Turns:
    """The part of ``ports.Ledger`` about turns."""

    def __init__(self, table: Table, clock: Clock, spacing: timedelta) -> None:
        self._table = table
        self._clock = clock
        self._spacing = spacing

    @asynccontextmanager
    async def turn(self, connection: str) -> AsyncIterator[TableTurn]:
        lease = await self._acquire(connection)
        turn = TableTurn(self._clock, self._spacing, lease.wrote)
        renewal = asyncio.create_task(self._renew(lease))
        try:
            yield turn
        finally:
            renewal.cancel()
            with suppress(asyncio.CancelledError):
                await renewal
            try:
                await self._release(lease, turn.wrote)
            except StepError as error:
                # Raising would hide what the step did; the lease lapses by itself.
                telemetry.event(
                    "turn.release-failed", level=logging.WARNING, on=connection, why=error.message
                )

    async def _acquire(self, connection: str) -> Lease:
        part, now, holder = key(connection), self._clock.now(), uuid.uuid4().hex
        found = await self._table.get(part, ROW)
        if found is not None and _held(found.columns, now):
            raise _busy(connection)
        mine = {"holder": holder, **pack("until", now + LEASE)}
        wrote = _wrote(found.columns) if found else None
        if found is None:
            tag = await self._table.insert(part, ROW, mine)
        else:
            tag = await self._table.merge(part, ROW, mine, tag=found.tag)
        if tag is None:
            # Lost the race, or won it and lost the answer, which the SDK then asked for again.
            found = await self._table.get(part, ROW)
            if found is None or found.columns.get("holder") != holder:
                raise _busy(connection)
            tag = found.tag
        return Lease(connection, holder, tag, wrote)

    async def _renew(self, lease: Lease) -> None:
        """Push the lease's end ahead until cancelled, or until somebody else has taken it over.

        A lease that cannot be renewed lapses; another step may then run at the same time,
        which every step allows for.
        """
        while True:
            await asyncio.sleep(RENEWAL.total_seconds())
            until = pack("until", self._clock.now() + LEASE)
            try:
                tag = await self._table.merge(key(lease.connection), ROW, until, tag=lease.tag)
                if tag is None and not await self._still_ours(lease):
                    telemetry.event("turn.lost", level=logging.WARNING, on=lease.connection)
                    return
            except StepError as error:
                telemetry.event(
                    "turn.renewal-failed",
                    level=logging.WARNING,
                    on=lease.connection,
                    why=error.message,
                )
            else:
                lease.tag = tag or lease.tag

    async def _still_ours(self, lease: Lease) -> bool:
        """Whether a renewal failed only because it met itself, sent again by the SDK."""
        found = await self._table.get(key(lease.connection), ROW)
        if found is None or found.columns.get("holder") != lease.holder:
            return False
        lease.tag = found.tag
        return True

    async def _release(self, lease: Lease, wrote: datetime | None) -> None:
        """Let go and note the last write; of a lease that was taken over, only the latter."""
        part, tag, ours = key(lease.connection), lease.tag, True
        note = pack("wrote", wrote) if wrote and wrote != lease.wrote else {}
        for _ in range(ATTEMPTS):
            columns = {"holder": "", **note} if ours else note
            if not columns or await self._table.merge(part, ROW, columns, tag=tag) is not None:
                return
            found = await self._table.get(part, ROW)
            if found is None:
                return
            ours, tag = found.columns.get("holder") == lease.holder, found.tag
            later = _wrote(found.columns)
            if later and wrote and later >= wrote:
                note = {}


def _held(columns: dict[str, Any], now: datetime) -> bool:
    return bool(columns.get("holder")) and unpack(columns, "until", datetime) > now


def _wrote(columns: dict[str, Any]) -> datetime | None:
    return unpack_or(columns, "wrote", datetime, None)


def _busy(connection: str) -> TryLater:
    return TryLater(
        "BUSY", f"another step is working on {connection}", after=AGAIN, limit=LIMIT, exact=True
    )
