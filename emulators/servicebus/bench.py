"""``python -m emulators.servicebus.bench``: messages a second through the Python SDK."""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from azure.servicebus import ServiceBusMessage, ServiceBusReceiveMode
from azure.servicebus.aio import ServiceBusClient

BODY = b"x" * 1024
QUEUE = {"LockDuration": "PT5M", "MaxDeliveryCount": 10}
MODES: dict[str, list[str]] = {
    "memory": [],
    "normal": ["--store", "bench.db"],
    "full": ["--store", "bench.db", "--durability", "full"],
}
Case = Callable[[ServiceBusClient, int], Awaitable[float]]


async def _send_single(client: ServiceBusClient, count: int) -> float:
    async with client.get_queue_sender("bench") as sender:
        started = time.perf_counter()
        for _ in range(count):
            await sender.send_messages(ServiceBusMessage(BODY))
        return time.perf_counter() - started


async def _send_batches(client: ServiceBusClient, count: int) -> float:
    async with client.get_queue_sender("bench") as sender:
        started = time.perf_counter()
        for _ in range(count // 100):
            await sender.send_messages([ServiceBusMessage(BODY) for _ in range(100)])
        return time.perf_counter() - started


async def _receive_and_complete(client: ServiceBusClient, count: int) -> float:
    async with client.get_queue_receiver("bench") as receiver:
        started, done = time.perf_counter(), 0
        while done < count:
            got = await receiver.receive_messages(100, max_wait_time=5)
            for message in got:
                await receiver.complete_message(message)
            done += len(got)
        return time.perf_counter() - started


async def _receive_and_delete(client: ServiceBusClient, count: int) -> float:
    mode = ServiceBusReceiveMode.RECEIVE_AND_DELETE
    receiver = client.get_queue_receiver("bench", receive_mode=mode, prefetch_count=200)
    async with receiver:
        started, done = time.perf_counter(), 0
        while done < count:
            done += len(await receiver.receive_messages(200, max_wait_time=5))
        return time.perf_counter() - started


# Each case leaves behind or takes away what the next one expects.
CASES: dict[str, tuple[Case, float]] = {
    "send one at a time": (_send_single, 0.5),
    "receive and delete, first half": (_receive_and_delete, 0.5),
    "send batches of 100": (_send_batches, 2),
    "receive and complete": (_receive_and_complete, 1),
    "receive and delete": (_receive_and_delete, 1),
}
HIDDEN = {"receive and delete, first half"}


@asynccontextmanager
async def _emulator(folder: Path, options: list[str]) -> AsyncIterator[tuple[str, int]]:
    """Run the emulator in a process of its own; answer connection string and process id."""
    namespace = {"Name": "sbemulatorns", "Queues": [{"Name": "bench", "Properties": QUEUE}]}
    content = {"UserConfig": {"Namespaces": [namespace], "Logging": {"Type": "Console"}}}
    (folder / "config.json").write_text(json.dumps(content))
    command = ["-m", "emulators.servicebus", "--config", str(folder / "config.json"), "--port", "0"]
    options = [str(folder / each) if each.endswith(".db") else each for each in options]
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, *options, stdout=asyncio.subprocess.PIPE
    )
    try:
        if process.stdout is None:
            raise RuntimeError("the emulator has no output")
        ready = json.loads(await process.stdout.readline())
        yield ready["connection_string"], process.pid
    finally:
        process.terminate()
        await process.wait()


def _cpu_seconds(pid: int) -> float | None:
    """Answer the processor time of a process, where the system tells it."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except FileNotFoundError:
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def measure(mode: str, count: int) -> dict[str, dict[str, Any]]:
    """Answer messages a second and the emulator's CPU per message, for each case."""
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        async with (
            _emulator(Path(folder), MODES[mode]) as (connection_string, pid),
            ServiceBusClient.from_connection_string(connection_string) as client,
        ):
            for name, (case, share) in CASES.items():
                amount = int(count * share) // 100 * 100
                before = _cpu_seconds(pid)
                seconds = await case(client, amount)
                after = _cpu_seconds(pid)
                if name in HIDDEN:
                    continue
                cpu = None if before is None or after is None else (after - before) / amount
                results[name] = {
                    "messages": amount,
                    "per_second": round(amount / seconds),
                    "server_cpu_us": None if cpu is None else round(cpu * 1e6),
                }
    return results


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m emulators.servicebus.bench")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--count", type=int, default=2000, help="messages in a full case")
    parser.add_argument("--mode", choices=[*MODES], action="append", help="default: all")
    options = parser.parse_args()
    modes = options.mode or [*MODES]
    results = {mode: asyncio.run(measure(mode, max(200, options.count))) for mode in modes}
    if options.json:
        print(json.dumps(results, indent=2))  # noqa: T201  the answer of the command
        return
    for mode, cases in results.items():
        for name, found in cases.items():
            speed, cpu = found["per_second"], found["server_cpu_us"]
            print(f"{mode:8} {name:24} {speed:8,} msg/s {cpu} us CPU")  # noqa: T201  same


if __name__ == "__main__":
    main()
