"""Runs Azurite: ``python -m emulators.azurite --folder DIR``."""

import argparse
import asyncio
import json
import logging
import signal
import sys
from pathlib import Path

from emulators.azurite.server import serving


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m emulators.azurite", description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("build/azurite-data"))
    for service in ("blob", "table", "queue"):
        parser.add_argument(f"--{service}-port", type=int, default=0, help="0: a free one")
    parser.add_argument(
        "--no-durable",
        dest="durable",
        action="store_false",
        help="answer writes before they are saved, as Azurite does by itself",
    )
    return parser.parse_args()


async def _main(arguments: argparse.Namespace) -> None:
    stop = asyncio.Event()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signal_number, stop.set)
    async with serving(
        arguments.folder,
        arguments.blob_port,
        arguments.table_port,
        arguments.queue_port,
        durable=arguments.durable,
    ) as azurite:
        ready = {
            "ready": True,
            "port": azurite.ports["Blob"],
            "ports": azurite.ports,
            "pid": azurite.pid,
            "connection_string": azurite.connection_string,
        }
        print(json.dumps(ready), flush=True)  # noqa: T201  # the ready line is the interface
        await stop.wait()


if __name__ == "__main__":
    logging.basicConfig(stream=sys.stderr, level=logging.INFO)
    asyncio.run(_main(_arguments()))
