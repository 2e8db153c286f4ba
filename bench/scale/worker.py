"""One client in a process of its own: told on standard input, answers a `Report` on the last line.

`python -m bench.scale.worker` is started by `processes.py`; what it measures is only itself.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import msgspec

from bench.scale import faults, rounds
from bench.scale.changes import Changes
from bench.scale.floor import Floor
from bench.scale.keeper import Keeper
from bench.scale.models import Models
from bench.scale.product import PROFILE, Reader, Runs
from bench.scale.rounds import Digest, Report, Round
from bench.scale.server import Server

Target = dict[str, Any]


async def floor(target: Target) -> Report:
    client = Floor(target, with_groups=target["mode"] == "all")
    idle = rounds.resident()
    client.digests = {"users": Digest(), "memberships": Digest()}
    await client.read()  # renders the pages, and shows that the rows are right
    found = {name: digest.view() for name, digest in client.digests.items()}
    client.digests = None
    taken = await _rounds(target, client.read)
    return Report(taken, rounds.peak(), idle, found)


async def keeper(target: Target) -> Report:
    client = Keeper(target)
    await client.open()
    return await _read(target, client)


async def models(target: Target) -> Report:
    return await _read(target, Models(target))


async def reader(target: Target) -> Report:
    return await _read(target, Reader(target, mode=target["mode"]))


class Client(Protocol):
    """One that only reads."""

    async def read(self) -> rounds.Rows: ...
    async def close(self) -> None: ...


async def _read(target: Target, client: Client) -> Report:
    idle = rounds.resident()
    await client.read()
    taken = await _rounds(target, client.read)
    peak = rounds.peak()
    await client.close()
    return Report(taken, peak, idle)


async def runs(target: Target) -> Report:
    client = Runs(target, mode=target["mode"], profile=target.get("profile", PROFILE))
    await client.open()
    idle = rounds.resident()
    await client.read()
    peak = rounds.peak()
    taken = await _rounds(target, client.first, before=client.prepare, told=client.rows)
    more = {"peak of one run": peak} | client.storage.view()
    peak = rounds.peak()
    found = await client.found(client.last)
    return Report(taken, peak, idle, found, more=more | {"peak with reading": rounds.peak()})


async def _rounds(
    target: Target,
    read: rounds.Read,
    *,
    before: Callable[[], Awaitable[None]] | None = None,
    told: rounds.Read | None = None,
) -> tuple[Round, ...]:
    server, taken = Server(target), []
    for _ in range(target["rounds"]):
        if before:
            await before()
        await server.count_anew()
        one = await rounds.timed(read, told)
        taken.append(msgspec.structs.replace(one, used=await server.used()))
    return tuple(taken)


async def changes(target: Target) -> Report:
    return await Changes(target).measure()


CLIENTS: dict[str, Callable[[Target], Awaitable[Report]]] = {
    "floor": floor,
    "keeper": keeper,
    "models": models,
    "reader": reader,
    "runs": runs,
    "changes": changes,
    "throttled": faults.throttled,
    "faulty": faults.faulty,
}


def main() -> None:
    target = json.load(sys.stdin)
    report = asyncio.run(_run(target))
    sys.stdout.write("\n" + msgspec.json.encode(report).decode() + "\n")
    sys.stdout.flush()


async def _run(target: Target) -> Report:
    return await CLIENTS[target["client"]](target)


if __name__ == "__main__":
    main()
