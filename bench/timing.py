"""How long a rotation takes until it is published, and a verification of many applications."""

import asyncio
import statistics
import time
from datetime import datetime
from typing import Any

from bench.figures import Figure, Goal, Sample
from bench.workshop import OVERLAP, Workshop, rotate, work
from functions.sweeps import sweep
from shared.context import Context

LAG = 3.0  # seconds until the token endpoint knows a new secret
PACE = 0.05  # of the waits meanwhile: three seconds in place of a minute
THOUSAND = 1000


TIMED = 4  # connections, two at a time: the waits are measured, not this machine


async def latency(shop: Workshop, all_names: list[str]) -> list[Figure]:
    names = all_names[:TIMED]
    await shop.control("lag", token_seconds=LAG)
    shop.clock.skipped += OVERLAP
    ctx = await shop.context(patience=PACE, pace=PACE)
    began = ctx.clock.now()
    await rotate(ctx, names, "timed")
    await work(ctx, ("credentials",), 2)
    await shop.control("lag", token_seconds=0)
    taken = []
    for name in names:
        rows = [r for r in await ctx.ledger.history(name) if r["at"] >= began.isoformat()]
        at = {row["what"]: row["at"] for row in rows}
        taken.append(_seconds(at["secret.added"], at["secret.published"]))
    percentile = statistics.quantiles(taken, n=20)[-1]
    base = Sample("lag of the token endpoint", "s", (LAG,))
    return [
        Figure(
            name="addPassword to published, p50",
            sample=Sample("all rotations", "s", tuple(taken)),
            base=base,
            goal=Goal(at_most=3),
            details={"waits": f"{PACE} of those in production"},
        ),
        Figure(
            name="addPassword to published, p95",
            sample=Sample("the slowest twentieth", "s", (percentile,)),
            base=base,
            goal=Goal(at_most=5),
        ),
    ]


def _seconds(start: str, end: str) -> float:
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()


async def verification(shop: Workshop, ctx: Context, names: list[str], workers: int) -> Figure:
    for name in names:
        await ctx.ledger.set_due("verify", name, ctx.clock.now())
    await shop.clear()
    began = time.perf_counter()
    await sweep(ctx, "verify")
    await work(ctx, ("verification",), workers)
    taken = time.perf_counter() - began
    rows, tokens = await shop.traffic(), await shop.tokens()
    reads = [row["url"] for row in rows if row["method"] == "GET"]
    bare = await _replay(shop, reads, tokens, workers)
    factor = THOUSAND / len(names)
    return Figure(
        name=f"verification of {len(names)} applications",
        sample=Sample("sweep and steps", "s", (taken,)),
        base=Sample("the same calls, bare", "s", (bare,)),
        goal=Goal(at_most=4),
        details={
            "calls of Graph, tokens": (len(rows), tokens),
            f"{THOUSAND} applications would take": f"{taken * factor:.0f} s ({factor:.1f} times)",
        },
    )


async def _replay(shop: Workshop, reads: list[str], tokens: int, workers: int) -> float:
    """Seconds for the same reads and tokens with as little as can be done, as many at once."""
    async with shop.bare() as http:
        calls: list[tuple[str, dict[str, Any] | None]] = [(url, None) for url in reads]
        calls += [(shop.token_url, shop.form)] * tokens
        waiting = iter(calls)

        async def send() -> None:
            for url, form in waiting:
                await (http.get(url) if form is None else http.post(url, data=form))

        began = time.perf_counter()
        await asyncio.gather(*(send() for _ in range(workers)))
        return time.perf_counter() - began
