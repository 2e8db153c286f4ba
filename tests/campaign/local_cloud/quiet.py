"""After the last kill: lets everything end, and does what remedies tell people to do."""

import asyncio
import logging
import time
from collections import Counter
from typing import Any

from tests.campaign.local_cloud.killing import SWEEP
from tests.campaign.local_cloud.living import OVER, Living, ended
from tests.end_to_end.local import Local

log = logging.getLogger(__name__)

PATIENCE = 20.0
"""Seconds without any change after which only a sweep can help; the clock is moved on then."""

ROUNDS = 12
ATTEMPTS = 3


class Unfinished(AssertionError):
    """Something that was accepted never ended."""


async def everything_ends(local: Local, livings: list[Living]) -> Counter[str]:
    """Wait, let sweeps come due, and repeat what stopped; answers what people had to repeat."""
    repeated: Counter[str] = Counter()
    for _ in range(ATTEMPTS):
        rows = await _all_end(local, [living.life.name for living in livings])
        stopped = [living for living in livings if (_reasons(rows[living.life.name]))]
        if not stopped:
            return repeated
        for living in stopped:
            repeated.update(_reasons(rows[living.life.name]))
            await _again(local, living, rows[living.life.name])
    raise Unfinished(f"still not as it should be after {ATTEMPTS} repeats: {rows}")


async def _again(local: Local, living: Living, row: dict[str, Any]) -> None:
    """As the remedies say: the same request once more."""
    if row["offboarding"] is not None:
        body = {"reason": "again"}
        await local.call("DELETE", f"/api/connections/{living.life.name}", json=body)
        return
    await living.onboard()


async def _all_end(local: Local, names: list[str]) -> dict[str, dict[str, Any]]:
    """The connections once nothing of them runs."""
    since, before = time.monotonic(), ""
    rounds = 0
    while True:
        rows = {name: await local.connection(name) or {} for name in names}
        if all(ended(row) for row in rows.values()):
            return rows
        now = str([(row.get("operations"), row.get("conditions")) for row in rows.values()])
        if now != before:
            since, before = time.monotonic(), now
        elif time.monotonic() - since > PATIENCE:
            rounds += 1
            if rounds > ROUNDS:
                raise Unfinished(f"does not end: {rows}")
            log.info("nothing moves, the clock goes on to the next sweep: %s", _running(rows))
            await local.control("clock", {"advance_seconds": SWEEP})
            since = time.monotonic()
        await asyncio.sleep(0.2)


def _running(rows: dict[str, dict[str, Any]]) -> list[tuple[str, str, str]]:
    return [
        (name, run["kind"], run["step"])
        for name, row in rows.items()
        for run in row.get("operations", [])
        if run["state"] not in OVER
    ]


def _reasons(row: dict[str, Any]) -> list[str]:
    """Of conditions that are not true although the connection is wanted, or is still leaving."""
    leaving = row["offboarding"]
    if leaving is not None and leaving.get("finished"):
        return []
    return [held["reason"] for held in row["conditions"] if held["status"] != "True"]
