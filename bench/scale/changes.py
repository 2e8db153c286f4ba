"""Runs that read only what has changed: their cost against the number of changes."""

import os
import time
from typing import Any

from bench.scale import rounds
from bench.scale.product import Runs, rows_of
from bench.scale.rounds import Report, Round
from bench.scale.server import Server
from shared.model.accounts import Summary

COUNTS = (0, 10, 100, 1000)


class Changes:
    """A first run of the tenant, then runs after so many changes each."""

    def __init__(self, target: dict[str, Any]) -> None:
        self._target = target
        self._server = Server(target)
        self._runs = Runs(target, mode="all")
        self._next = 0

    async def measure(self) -> Report:
        await self._runs.open()
        idle = rounds.resident()
        name = await self._runs.connect(f"changing-{os.getpid()}")
        first = await self._taken(name)
        table: dict[str, Any] = {}
        taken = []
        for count in COUNTS:
            await self._change(count)
            one, summary, storage = await self._told(name)
            taken.append(one)
            table[str(count)] = {
                "seconds": round(one.seconds, 3),
                "cpu": round(one.cpu, 3),
                "read": summary.read,
                "added": summary.added,
                "changed": summary.changed,
                "removed": summary.removed,
                "calls": one.used["calls"],
                "units": one.used["units"],
                **storage,
            }
        peak = rounds.peak()
        found = await self._runs.found(name)
        more = {"first": round(first.seconds, 1), "changes": table}
        return Report(tuple(taken), peak, idle, found, more=more)

    async def _taken(self, name: str) -> Round:
        return (await self._told(name))[0]

    async def _told(self, name: str) -> tuple[Round, Summary, dict[str, int]]:
        """One run, what it found, and what it asked of the storage."""
        await self._server.count_anew()
        self._runs.storage.clear()

        async def run() -> rounds.Rows:
            await self._runs.run(name)
            return {}

        one = await rounds.timed(run)
        storage = self._runs.storage.view()
        summary = await self._runs.summary(name)
        used = await self._server.used()
        return Round(one.seconds, one.cpu, rows_of(summary), used), summary, storage

    async def _change(self, count: int) -> None:
        """Of ten: four are updates, two deletions, one is a new user, three are memberships."""
        if not count:
            return
        tenth = count // 10
        at = self._next
        self._next += count
        mark = f"{time.time():.0f}-{at}"
        numbers = iter(f"#{number}" for number in range(at, at + 10 * tenth))
        updates = [
            {"user": next(numbers), "displayName": f"Renamed {mark}"} for _ in range(4 * tenth)
        ]
        deletions = [next(numbers) for _ in range(2 * tenth)]
        users = [
            {
                "displayName": f"New {mark}-{number}",
                "userPrincipalName": f"new{mark}-{number}@contoso.onmicrosoft.com",
            }
            for number in range(tenth)
        ]
        last = self._target["groups"] - 1
        joined = [
            {"group": f"Group {last - number % 10:06d}", "member": next(numbers)}
            for number in range(3 * tenth)
        ]
        await self._server.control(
            "tenant",
            users=users,
            memberships=joined,
            update_users=updates,
            delete_users=deletions,
        )
