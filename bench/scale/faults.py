"""Runs against a service that is not well: the documented throttle, and the notes' two cases."""

import os
from typing import Any

from bench.scale import rounds
from bench.scale.product import Runs, rows_of
from bench.scale.rounds import Report, Round
from bench.scale.server import Server

CASES: dict[str, dict[str, Any]] = {
    "429 on every 25th request": {"fault": "DF-01"},
    "page token expires once": {
        "fault": "expired",
        "call": ["GET /users", "GET /groups", "GET /users/delta", "GET /groups/delta"],
        "pattern": "ok,400",
    },
}
"""Section 2.6 of the notes: 429 with Retry-After 1, and an expired token on a continuation."""


async def throttled(target: dict[str, Any]) -> Report:
    """One whole run under Graph's limits for a large tenant; what it used of them."""
    server = Server(target)
    client = Runs(target, mode=target["mode"], profile=target["profile"])
    await client.open()
    idle = rounds.resident()
    limit = await server.control("throttling", enabled=True, scale=1.0)
    await server.count_anew()
    one = await rounds.timed(client.read)
    used = await server.used()
    await server.control("throttling", enabled=False)
    seconds = used["last"] - used["first"]
    allowed = limit["units"] / limit["seconds"]
    more = {
        "units a second": round(used["units"] / seconds, 1),
        "allowed a second": allowed,
        "seconds": round(seconds, 1),
        "calls": used["calls"],
        "throttled": used["throttled"],
    }
    return Report((Round(one.seconds, one.cpu, one.rows, used),), rounds.peak(), idle, more=more)


async def faulty(target: dict[str, Any]) -> Report:
    """One whole run with a fault; what is stored is compared with the tenant."""
    server = Server(target)
    client = Runs(target, mode="all")
    await client.open()
    idle = rounds.resident()
    name = await client.connect(f"faulty-{os.getpid()}")
    await server.control("faults", **CASES[target["case"]])
    await server.count_anew()

    summaries = []

    async def read() -> rounds.Rows:
        summaries.append(await client.run(name))
        return rows_of(summaries[-1])

    one = await rounds.timed(read)
    used = await server.used()
    await server.heal()
    found = await client.found(name)
    state = summaries[-1].state
    return Report(
        (Round(one.seconds, one.cpu, one.rows, used),), rounds.peak(), idle, found, outcome=state
    )
