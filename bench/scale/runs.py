"""Measures one size after the other, and puts the figures together."""

import hashlib
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.figures import Figure
from bench.scale import opponents, plan, processes, results
from bench.scale.compared import figures
from bench.scale.one_group import of_one_group
from bench.scale.plot import plotted
from bench.scale.robustness import robustness
from bench.scale.rounds import Report
from bench.scale.service import Service, opened
from bench.scale.shown import table
from bench.scale.throttle import under_the_limit

PEERS = ("backstage", "cartography")


async def measure(folder: Path, sizes: Sequence[int], only: Sequence[str]) -> list[Figure]:
    """*only* names clients, or one of changes, throttle, group, robustness."""
    for users in sizes or plan.SIZES:
        await _size(folder / str(users), users, only)
        shutil.rmtree(folder / str(users) / "azurite", ignore_errors=True)  # logs are kept
    found = [*figures(results.known())]
    if not only or "throttle" in only:
        found += await under_the_limit(folder / "throttle")
    if not only or "group" in only:
        found += await of_one_group(folder / "group")
    if not only or "robustness" in only:
        found += await robustness(folder / "robustness")
    print(table(results.known()))  # noqa: T201 - the command's answer
    plotted(results.known(), Path("docs/discovery-scale.svg"))
    return found


async def _size(folder: Path, users: int, only: Sequence[str]) -> None:
    turns = [turn for turn in plan.turns(users) if not only or turn.client in only]
    changing = not only or "changes" in only
    if not turns and not changing:
        return
    async with opened(folder, users) as service:
        result = results.known().get(users) or results.begun(users, service.groups)
        result.truth = await truth(service)
        for turn in turns:
            await service.control("latency", seconds=turn.latency)
            target = await service.target(
                client=turn.client, mode=turn.mode, rounds=plan.rounds(users)
            )
            report = await one(turn.client, target, folder)
            _say(f"{users} {turn.key}: {report.outcome or _short(report)}")
            result.reports[turn.key] = results.judged(turn.client, turn.mode, report, result.truth)
            result.keep()
        if changing:  # the last, as the tenant is another one afterwards
            await service.control("latency", seconds=0)
            target = await service.target(client="changes", mode="all", rounds=0)
            report = await one("changes", target, folder)
            result.reports["changes"] = results.judged("runs", "all", report, await service.truth())
            result.keep()


async def one(client: str, target: dict[str, Any], folder: Path) -> Report:
    log = folder / f"{client}.log"
    if client in PEERS:
        return await opponents.run(client, target, log)
    try:
        return await processes.client(target, log)
    except (processes.ClientFailed, TimeoutError) as error:
        return Report(outcome=f"failed: {error or 'out of time'}")


async def truth(service: Service) -> dict[str, Any]:
    """With hashes of sorted ids, which peers can tell without the digest of ours."""
    found = await service.truth()
    if service.users > plan.LARGEST_FOR_PEERS:
        return found
    rows = await service.lines("users")
    everyone = sorted(row["id"] for row in rows)
    enabled = sorted(row["id"] for row in rows if row["accountEnabled"])
    return found | {"everyone": _hashed(everyone), "enabled": _hashed(enabled)}


def _hashed(ids: Sequence[str]) -> dict[str, str]:
    return {"ids": hashlib.sha256(",".join(ids).encode()).hexdigest()}


def _short(report: Report) -> str:
    seconds = sorted(each.seconds for each in report.rounds)
    return json.dumps({"seconds": [round(each, 2) for each in seconds], **report.more})


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - long runs are watched
