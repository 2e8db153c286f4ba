"""Runs the Azure DevOps emulator: ``python -m emulators.devops --port N --authority URL ...``."""

import argparse
import asyncio
import json
import logging
import signal
import sys
from pathlib import Path

from emulators.clock import Clock
from emulators.devops.server import Settings, serving


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m emulators.devops", description=__doc__)
    option = parser.add_argument
    option("--port", type=int, default=0, help="0: a free one")
    option("--tls", type=Path, default=Path("build/tls"), help="folder of the authority")
    option("--clock", type=Path, help="file of the shared emulated clock")
    option("--authority", required=True, help="base URL of the token issuer")
    option("--tenant", required=True)
    option("--directory", default="", help="control URL of the Graph emulator, which knows ids")
    return parser.parse_args()


async def _main(arguments: argparse.Namespace) -> None:
    stop = asyncio.Event()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signal_number, stop.set)
    settings = Settings(
        tls=arguments.tls,
        authority=arguments.authority,
        tenant=arguments.tenant,
        directory=arguments.directory,
        port=arguments.port,
        clock=Clock(arguments.clock),
    )
    async with serving(settings) as running:
        ready = {"ready": True, "port": running.port, "devops": running.url, "admin": running.admin}
        print(json.dumps(ready), flush=True)  # noqa: T201  # the ready line is the interface
        await stop.wait()


if __name__ == "__main__":
    logging.basicConfig(stream=sys.stderr, level=logging.INFO)
    asyncio.run(_main(_arguments()))
