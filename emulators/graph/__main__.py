"""Run the emulator by itself: `python -m emulators.graph --port N`."""

import argparse
import asyncio
import json
import signal
import sys
from pathlib import Path

from emulators.graph.server import serving


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m emulators.graph", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free port")
    parser.add_argument(
        "--tls", type=Path, metavar="DIR", help="folder of the certificate authority"
    )
    parser.add_argument("--clock", type=Path, metavar="FILE", help="emulated clock, shared")
    parser.add_argument("--users", type=int, default=200, help="size of the tenant")
    parser.add_argument("--seed", type=int, default=1, help="same seed and size, same tenant")
    parser.add_argument("--traffic", type=Path, metavar="FILE", help="append every pair here")
    parser.add_argument(
        "--groups",
        type=int,
        metavar="N",
        help="a large tenant: N groups of 50, pages rendered once",
    )
    return parser.parse_args(given)


async def run(options: argparse.Namespace) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with serving(
        port=options.port,
        tls=options.tls,
        clock=options.clock,
        users=options.users,
        seed=options.seed,
        traffic=options.traffic,
        groups=options.groups,
    ) as graph:
        sys.stdout.write(json.dumps(graph.ready()) + "\n")
        sys.stdout.flush()
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(run(arguments()))
