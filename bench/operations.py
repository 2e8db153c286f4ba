"""``python -m bench.operations``: what one operation takes of what Azure charges for.

Runs each kind of operation on the local cloud and counts; the counts go to
``release/operations.json``, from which `release.costs` computes docs/costs.md. Seconds are with a
Graph that takes as long as the real one.
"""

import asyncio
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec

from bench.counting import EXECUTION, VARIABLE, Count
from bench.local_cloud import LATENCY, LIMIT
from emulators.callers import Bearer
from emulators.demo.products import devolutions
from emulators.stack import Cloud, Options
from release.costs import OPERATIONS, Measured

NAME = "measured"
QUIET = 3.0  # seconds without a new call, after which nothing more is expected
TIMERS = ("rotate_due", "verify_due", "discover_due", "import_due", "retire_due", "token_due",
          "prestage_due", "resume_due")  # fmt: skip


class Driver:
    """One connection of a local cloud, and the counts since the last look."""

    def __init__(self, state: dict[str, Any], counts: Path) -> None:
        self._state, self._counts, self._seen = state, counts, 0
        self._http = httpx.AsyncClient(verify=_trust(state), trust_env=False, timeout=60)

    async def close(self) -> None:
        await self._http.aclose()

    async def call(self, method: str, path: str, body: Any = None, who: str = "operator") -> Any:
        answer = await self._http.request(
            method,
            self._state["functions"] + path,
            json=body,
            headers={"x-functions-key": self._state["master_key"]},
            auth=Bearer(self._state, who),
        )
        answer.raise_for_status()
        return answer.json() if answer.content else None

    async def control(self, path: str, body: Any) -> None:
        (await self._http.post(f"{self._state['admin']}/{path}", json=body)).raise_for_status()

    async def timer(self, name: str) -> None:
        await self.call("POST", f"/admin/functions/{name}", {"input": ""})

    async def measured(self, work: Callable[[], Awaitable[Any]]) -> Measured:
        """Do the *work*, wait until all that it starts is done, and count."""
        self._read()
        await work()
        deadline, last, found = time.monotonic() + LIMIT, time.monotonic(), list[Count]()
        while time.monotonic() < last + QUIET and time.monotonic() < deadline:
            await asyncio.sleep(0.1)  # pacing of the poll, which has its own limit
            if fresh := self._read():
                found += fresh
                last = time.monotonic()
        seconds = sum(count.seconds for count in found if count.what == EXECUTION)
        return Measured(
            counts=dict(Counter(each.what for each in found)), seconds=round(seconds, 2)
        )

    def _read(self) -> list[Count]:
        lines = self._counts.read_bytes().rpartition(b"\n")[0].splitlines()
        fresh, self._seen = lines[self._seen :], len(lines)
        return [msgspec.json.decode(line, type=Count) for line in fresh]


def _trust(state: dict[str, Any]) -> Any:
    import ssl

    return ssl.create_default_context(cafile=state["ca_file"])


async def measure(folder: Path) -> dict[str, Measured]:
    counts = folder / "counts.jsonl"
    counts.touch()
    os.environ[VARIABLE] = str(counts.resolve())
    options = Options(folder=folder / "cloud", pace=0, durable_storage=False, host="bench.counting")
    async with Cloud(options) as cloud:
        driver = Driver(cloud.state(), counts)
        try:
            return await _all(driver)
        finally:
            await driver.close()


async def _all(driver: Driver) -> dict[str, Measured]:
    path = f"/api/connections/{NAME}"
    await driver.control("latency", {"seconds": LATENCY})

    async def onboard() -> None:
        await driver.call("POST", "/api/connections", devolutions(NAME, "roles").body())
        await driver.call("POST", f"{path}/approval", {"reason": "measured"}, "approver")

    found = {"onboard": await driver.measured(onboard)}
    for kind in ("verification", "discovery", "rotation"):
        found[kind] = await driver.measured(lambda kind=kind: driver.call("POST", f"{path}/{kind}"))  # type: ignore[misc]  # the default binds it
    found["look"] = await driver.measured(lambda: driver.call("GET", path))
    for name in TIMERS:
        found[name] = await driver.measured(lambda name=name: driver.timer(name))  # type: ignore[misc]  # same
    return found


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(measure(Path(folder)))
    document = {"measured": datetime.now(UTC).date().isoformat(), "operations": found}
    OPERATIONS.write_bytes(msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n")
    sys.stdout.write(f"{OPERATIONS}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
