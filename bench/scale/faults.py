"""Runs against a service that is not well: the documented throttle, and how peers fail."""

import os
from typing import Any, NamedTuple

from bench.scale import rounds
from bench.scale.product import Runs, rows_of
from bench.scale.rounds import Report, Round
from bench.scale.server import Server

LISTS = ["GET /users", "GET /groups", "GET /users/delta", "GET /groups/delta"]
MEMBERS = ["GET /groups/{id}/members", "GET /groups/{id}/transitiveMembers/{cast}"]


class Case(NamedTuple):
    fault: dict[str, Any]
    full: bool = True
    """Of a connection that has a snapshot: everything is read again, not only what is new."""


SHARED = {
    "429 on every 25th request": Case({"fault": "DF-01"}),
    "page token expires once": Case({"fault": "expired", "call": LISTS, "times": 1}),
}
"""Section 2.6 of the notes, for every client: it reads the tenant for the first time."""

OWN = {
    "429 without Retry-After": Case({"fault": "DF-02"}),
    "two of a batch throttled": Case({"fault": "F13", "call": MEMBERS, "times": 2}),
    "503 in the middle": Case({"fault": "DF-06", "call": LISTS}),
    "connection breaks in a page": Case({"fault": "partial", "call": LISTS, "times": 1}),
    "page of users fails for good": Case({"fault": "DF-08", "call": "GET /users"}),
    "every page fails for good": Case({"fault": "DF-08", "call": LISTS}),
    "page token always expired": Case({"fault": "DF-10", "call": LISTS}),
    "empty pages": Case({"fault": "DF-12", "call": LISTS}),
    "page size cut": Case({"fault": "DF-13", "call": "GET /users"}),
    "list ends early": Case({"fault": "DF-18", "call": "GET /users"}),
    "delta token expired": Case({"fault": "DF-20", "times": 1}, full=False),
    "delta token not known": Case({"fault": "DF-21", "times": 1}, full=False),
    "delta in disorder": Case({"fault": "DF-23"}, full=True),
    "groups in parts": Case({"fault": "DF-24"}),
    "list of users empty": Case({"fault": "DF-31"}),
}
"""Further ones, for Keyturn alone: in a second run, so that a false removal would show."""


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
        "slices": client.deliveries,
    }
    return Report((Round(one.seconds, one.cpu, one.rows, used),), rounds.peak(), idle, more=more)


async def faulty(target: dict[str, Any]) -> Report:
    """One whole run with a fault; what is stored is compared with the tenant."""
    server, name = Server(target), target["case"]
    case = SHARED.get(name) or OWN[name]
    client = Runs(target, mode="all")
    await client.open(impatient=True)
    idle = rounds.resident()
    connection = await client.connect(f"faulty-{os.getpid()}")
    if name in OWN:
        await client.run(connection)
    await server.control("faults", **case.fault)
    await server.count_anew()
    summaries = []
    client.deliveries = 0

    async def read() -> rounds.Rows:
        await client.run(connection, full=name in OWN and case.full)
        summaries.append(await client.summary(connection))
        return rows_of(summaries[-1])

    one = await rounds.timed(read)
    used = await server.used()
    hits = await server.hits()
    await server.heal()
    last = summaries[-1]
    failed = [f"{source.name} {source.reason}" for source in last.sources if source.reason]
    more = {
        "hits": hits,
        "removed": last.removed,
        "why": "; ".join([*failed, last.why]) if failed else last.why,
        "second": name in OWN,
        "slices": client.deliveries,
    }
    taken = (Round(one.seconds, one.cpu, one.rows, used),)
    found = await client.found(connection)
    return Report(taken, rounds.peak(), idle, found, outcome=last.state, more=more)
