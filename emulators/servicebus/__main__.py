"""``python -m emulators.servicebus``: serves until SIGTERM."""

import argparse
import asyncio
import json
import logging
import signal
import sqlite3
import sys
from pathlib import Path

from emulators.clock import Clock
from emulators.servicebus.config import ConfigError
from emulators.servicebus.faults import Faults
from emulators.servicebus.server import MAX_MESSAGE_SIZE, serving


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m emulators.servicebus", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="Microsoft's config.json")
    parser.add_argument("--port", type=int, default=5672, help="0 takes a free port")
    parser.add_argument("--store", type=Path, help="SQLite file that survives a restart")
    parser.add_argument("--durability", choices=("normal", "full"), default="normal")
    parser.add_argument("--clock", type=Path, help="file of a shared emulated clock")
    parser.add_argument("--health-port", type=int, help="answers GET /health")
    parser.add_argument("--strict-sas", action="store_true", help="check signatures")
    parser.add_argument("--max-message-size", type=int, default=MAX_MESSAGE_SIZE)
    parser.add_argument("--idle-link", type=float, default=0, help="fault: seconds, Azure 600")
    parser.add_argument("--idle-connection", type=float, default=0, help="fault: seconds")
    parser.add_argument("--token-deadline", type=float, default=0, help="fault: seconds, Azure 20")
    parser.add_argument("--busy", type=float, default=0, help="fault: share of refused sends")
    parser.add_argument("--seed", type=int, default=0, help="of the faults")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    level = logging.INFO if options.verbose else logging.WARNING
    logging.basicConfig(level=level, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    try:
        return asyncio.run(_serve(options))
    except (ConfigError, OSError, sqlite3.Error) as error:
        print(f"emulators.servicebus: {error}", file=sys.stderr)  # noqa: T201  the CLI's answer
        return 2


async def _serve(options: argparse.Namespace) -> int:
    faults = Faults(
        idle_link=options.idle_link,
        idle_connection=options.idle_connection,
        token_deadline=options.token_deadline,
        busy=options.busy,
        seed=options.seed,
    )
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with serving(
        options.config,
        options.port,
        options.store,
        durability=options.durability,
        strict_sas=options.strict_sas,
        max_message_size=options.max_message_size,
        health_port=options.health_port,
        faults=faults,
        clock=Clock(options.clock),
    ) as server:
        ready = {
            "ready": True,
            "port": server.port,
            "connection_string": server.connection_string,
        }
        if server.health_port is not None:
            ready["health_port"] = server.health_port
        print(json.dumps(ready), flush=True)  # noqa: T201  the line that callers wait for
        waits = [loop.create_task(event.wait()) for event in (stop, server.failed)]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        return 1 if server.failed.is_set() else 0


if __name__ == "__main__":
    sys.exit(main())
