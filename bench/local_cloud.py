"""The local cloud as measured here: until it is ready, what it costs when idle, and onboarding."""

import asyncio
import os
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import httpx
import msgspec

from bench.figures import Figure, Goal, Sample
from bench.host import VARIABLE
from bench.spans import Span, by_step, hops, shares
from emulators.azurite.node import installed
from emulators.azurite.server import serving
from emulators.callers import Bearer
from emulators.demo.products import devolutions
from emulators.stack import Cloud, Options

LATENCY = 0.05  # seconds that Graph and the token endpoint take for each answer
ONBOARDINGS = 6
WARM_UP = "bench-warm"
LIMIT = 90.0  # seconds until an onboarding must have ended
IDLE_SECONDS = 10
STARTS = 3
CHAIN = (
    "create_connection",
    "registration",
    "consent",
    "roles",
    "credentials",
    "verification",
    "discovery",
    "report",
)


class Failed(Exception):
    """An onboarding did not succeed, so that its time says nothing."""


class Lap(msgspec.Struct, frozen=True):
    """One onboarding as measured."""

    wall: float
    requests: int
    start: float
    end: float


class Driver:
    """Onboards one product after the other and reads what the emulators counted."""

    def __init__(self, state: dict[str, Any], spans: Path) -> None:
        self._spans = spans
        trust = ssl.create_default_context(cafile=state["ca_file"])
        self._admin = state["admin"]
        self._graph = httpx.AsyncClient(verify=trust, trust_env=False, timeout=30)
        self._functions = httpx.AsyncClient(
            base_url=state["functions"],
            headers={"x-functions-key": state["function_key"]},
            auth=Bearer(state, "operator"),
            verify=trust,
            trust_env=False,
            timeout=30,
        )
        self._approver = Bearer(state, "approver")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._graph.aclose()
        await self._functions.aclose()

    async def latency(self, seconds: float) -> None:
        answer = await self._graph.post(f"{self._admin}/latency", json={"seconds": seconds})
        answer.raise_for_status()

    async def onboard(self, name: str) -> Lap:
        (await self._graph.delete(f"{self._admin}/traffic")).raise_for_status()
        start = time.time()
        answer = await self._functions.post(
            "/api/connections", json=devolutions(name, "roles").body()
        )
        if answer.status_code != httpx.codes.ACCEPTED:
            raise Failed(f"{name}: HTTP {answer.status_code} {answer.text}")
        approval = {"reason": "benchmark"}
        answer = await self._functions.post(
            f"/api/connections/{name}/approval", json=approval, auth=self._approver
        )
        answer.raise_for_status()
        end = await self._ended(name, start)
        counted = (await self._graph.get(f"{self._admin}/traffic?count=1")).json()
        requests = counted["graph"] + counted["token"]
        return Lap(wall=end - start, requests=requests, start=start, end=end)

    async def _ended(self, name: str, start: float) -> float:
        """When the operation ended, by its own date.

        The functions are asked only when the last step has run: each question takes their time.
        """
        deadline = time.monotonic() + LIMIT
        while time.monotonic() < deadline:
            await asyncio.sleep(0.1)  # pacing of the poll, which has its own limit
            if not any(s.function == CHAIN[-1] and s.start > start for s in read(self._spans)):
                continue
            answer = (await self._functions.get(f"/api/connections/{name}")).json()
            operation = answer["operations"][0]
            if operation["state"] == "succeeded":
                return datetime.fromisoformat(operation["changed"]).timestamp()
            if operation["state"] != "running":
                raise Failed(f"{name}: {operation}")
        raise Failed(f"{name} did not end within {LIMIT:.0f} s")


def read(file: Path) -> list[Span]:
    """All spans that are written in full."""
    lines = file.read_bytes().rpartition(b"\n")[0].splitlines()
    return [msgspec.json.decode(line, type=Span) for line in lines]


@asynccontextmanager
async def traced(folder: Path) -> AsyncIterator[tuple[Cloud, Path]]:
    """A local cloud whose host writes spans to the file."""
    spans = _empty(folder / "spans.jsonl")
    os.environ[VARIABLE] = str(spans)
    options = Options(folder=folder, pace=0, durable_storage=False, host="bench.host")
    async with Cloud(options) as cloud:
        yield cloud, spans


def _empty(file: Path) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"")
    return file.resolve()  # for a process that may run elsewhere


async def measure(folder: Path) -> list[Figure]:
    starts = await _starts(folder)
    async with traced(folder / "cloud") as (cloud, file):
        async with Driver(cloud.state(), file) as driver:
            await driver.onboard(WARM_UP)  # the SDK's senders are opened once in a process
            idle = await _idle(cloud.children["host"].pid)
            await driver.latency(LATENCY)
            laps = [await driver.onboard(f"bench-{number}") for number in range(ONBOARDINGS)]
        spans = read(file)
    return [
        onboarding(laps, spans),
        Figure(
            name="local cloud until ready",
            sample=Sample("whole cloud", "s", tuple(whole for whole, _ in starts)),
            base=Sample("Azurite alone", "s", tuple(alone for _, alone in starts)),
        ),
        *at_rest(idle),
    ]


def onboarding(laps: list[Lap], spans: list[Span]) -> Figure:
    """Wall time over the sum of round trips that every onboarding needs at least."""
    middle = sorted(laps, key=lambda lap: lap.wall)[len(laps) // 2]
    within = [s for s in spans if s.start >= middle.start - 1 and s.end <= middle.end + 1]
    details = {
        "requests": [lap.requests for lap in laps],
        "where the time of the median one goes": _rounded(shares(within, middle.start, middle.end)),
        "seconds from sending a step's message to its invocation": _rounded(hops(within, CHAIN)),
        "within the steps": {
            name: _rounded(kinds)
            for name, kinds in by_step(within, middle.start, middle.end).items()
        },
    }
    return Figure(
        name="onboarding at 50 ms a round trip",
        sample=Sample("wall time", "s", tuple(lap.wall for lap in laps)),
        base=Sample("round trips", "s", tuple(lap.requests * LATENCY for lap in laps)),
        goal=Goal(at_most=1.5),
        details=details,
    )


def at_rest(seconds: float | None) -> list[Figure]:
    """Share of one processor that the functions host takes while nothing happens."""
    if seconds is None:
        return []
    return [
        Figure(
            name="functions host at rest",
            sample=Sample("CPU time", "s", (seconds,)),
            base=Sample("elapsed", "s", (float(IDLE_SECONDS),)),
            goal=Goal(at_most=0.1),
        )
    ]


def _rounded(values: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 3) for name, value in values.items()}


async def _starts(folder: Path) -> list[tuple[float, float]]:
    """Seconds until the whole cloud is ready, and until its slowest part would be alone."""
    await asyncio.to_thread(installed)  # the first start ever downloads Azurite
    found = []
    for number in range(STARTS):
        began = time.perf_counter()
        async with Cloud(Options(folder=folder / f"start-{number}")):
            whole = time.perf_counter() - began
        began = time.perf_counter()
        async with serving(folder / f"azurite-{number}"):
            found.append((whole, time.perf_counter() - began))
    return found


async def _idle(pid: int) -> float | None:
    """CPU seconds of a process while nothing is asked of it; None where the system hides them."""
    if not Path(f"/proc/{pid}/stat").exists():  # noqa: ASYNC240 - answered from memory
        return None
    await asyncio.sleep(3)  # what follows an operation (events, empty sessions) is not rest
    before = cpu(pid)
    await asyncio.sleep(IDLE_SECONDS)
    return cpu(pid) - before


def cpu(pid: int) -> float:
    """User and system time so far (proc(5), fields 14 and 15 of stat)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
