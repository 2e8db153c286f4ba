"""Rotations through the real steps and SDKs: against Graph's limits, and how long one takes."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bench.figures import Figure, Goal, Sample
from bench.timing import latency, verification
from bench.workshop import Workshop, opened, retire, rotate, work
from functions.sweeps import AT_ONCE
from shared.context import Context

CONNECTIONS = 8
WORKERS = 8
WRITES, WINDOW = 3000, 150.0
"""What Graph allows one application in one tenant, and in how many seconds.

Source: "Microsoft Graph service-specific throttling limits", identity and access.
"""
EACH = 2  # writes of a rotation: one secret is added, one is removed
CEILING = WRITES / WINDOW / EACH  # rotations a second
SWEPT = 900.0  # seconds between two sweeps of rotations, each of which takes AT_ONCE at most

WRITERS = 3
SPACING = 0.2  # seconds; at this pace Keyturn keeps ten times as much
SPACED_PACE = 0.2
SPACED = 4  # connections


async def measure(folder: Path) -> list[Figure]:
    names = [f"bench-{number:02}" for number in range(CONNECTIONS)]
    async with opened(folder) as shop:
        ctx = await shop.context(patience=0.0)
        await shop.onboard(ctx, names)
        return [
            *await _rate(shop, ctx, names),
            *await _conflicts(shop, names[:SPACED]),
            *await latency(shop, names),
            await verification(shop, ctx, names, WORKERS),
        ]


async def _rotations(shop: Workshop, ctx: Context, names: list[str], mark: str) -> float:
    """Seconds in which each is rotated, and its old secret removed."""
    began = time.perf_counter()
    await rotate(ctx, names, mark)
    await work(ctx, ("credentials",), WORKERS)
    await retire(shop, ctx, names, WORKERS)
    return time.perf_counter() - began


async def _rate(shop: Workshop, ctx: Context, names: list[str]) -> list[Figure]:
    """With the documented limit in force, as fast as this machine can."""
    await shop.control("throttling", enabled=True, scale=1.0)
    await shop.clear()
    seconds = await _rotations(shop, ctx, names, "limited")
    writes = [row for row in await shop.traffic() if "Password" in row["url"]]
    await shop.control("throttling", enabled=False)
    refused = len([row for row in writes if row["status"] == 429])
    done = len(writes) - refused
    allowed = WRITES / WINDOW
    details = {
        "ceiling by the limit": f"{CEILING:.0f} rotations/s",
        "the sweeps ask for at most": f"{AT_ONCE / SWEPT:.2f} rotations/s, "
        f"{AT_ONCE / SWEPT / CEILING:.0%} of that",
        "bound by": "the limit" if refused else "the processors of this machine",
    }
    return [
        Figure(
            name="rotations under Graph's write limit",
            sample=Sample("writes done", "writes/s", (done / seconds,)),
            base=Sample("writes allowed", "writes/s", (allowed,)),
            details=details,
        ),
        Figure(
            name="answers 429 under the limit",
            sample=Sample("refused", "writes", (float(refused),)),
            base=Sample("all", "writes", (float(len(writes)),)),
            goal=Goal(at_most=0.1),
        ),
    ]


async def _conflicts(shop: Workshop, names: list[str]) -> list[Figure]:
    """Each message comes to several workers at once, and every second answer is lost."""
    guarded = await _conflicting(shop, names, "guarded", guard=True)
    bare = await _conflicting(shop, names, "bare", guard=False)
    if bare == 0:
        raise RuntimeError("without lease and spacing there was no conflict: nothing is shown")
    return [
        Figure(
            name=f"409 of {WRITERS} writers to one application",
            sample=Sample("with lease and spacing", "answers", (float(guarded),)),
            base=Sample("without", "answers", (float(bare),)),
            goal=Goal(at_most=0),
        )
    ]


async def _conflicting(shop: Workshop, names: list[str], mark: str, *, guard: bool) -> int:
    ctx = await shop.context(patience=SPACED_PACE, pace=SPACED_PACE, copies=WRITERS)
    if not guard:
        setattr(ctx.ledger, "turn", _free_turn)  # noqa: B010 - what the product never does
    await shop.control("spacing", seconds=SPACING)
    call = "POST /applications/{id}/addPassword"
    await shop.control(
        "faults", call=call, fault="lost", pattern=[1, 0], repeat=True, times=len(names)
    )
    await shop.clear()
    await rotate(ctx, names, mark)
    await work(ctx, ("credentials",), WORKERS)
    await shop.heal()
    conflicts = len([row for row in await shop.traffic() if row["status"] == 409])
    await shop.control("spacing", seconds=0)
    await retire(shop, await shop.context(patience=0.0), names, WORKERS)
    return conflicts


class _Free:
    """Implements ``ports.Turn`` without minding anybody."""

    def before_write(self) -> None: ...

    def after_write(self) -> None: ...


@asynccontextmanager
async def _free_turn(_: str) -> AsyncIterator[_Free]:
    yield _Free()
