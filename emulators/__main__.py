"""``python -m emulators up``: start the local cloud and leave it up until it is told to end.

``python -m emulators token CALLER`` signs in to its functions.
"""

import argparse
import asyncio
import json
import signal
import sys
import tempfile
from pathlib import Path

from emulators.callers import access_token
from emulators.stack import Cloud, Options


async def up(state: Path, users: int, pace: float, *, durable: bool) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(sign, ended.set)
    with tempfile.TemporaryDirectory(prefix="keyturn-") as folder:
        options = Options(folder=Path(folder), users=users, pace=pace, durable=durable)
        async with Cloud(options) as cloud:
            cloud.write_state(state)
            for name in ("functions", "function_key", "graph", "vault", "admin"):
                sys.stdout.write(f"{name:13} {cloud.state()[name]}\n")
            sys.stdout.write("ready\n")
            sys.stdout.flush()
            await ended.wait()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m emulators")
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("up", help="start the local cloud")
    command.add_argument("--state", type=Path, default=Path("build/local-cloud.json"))
    command.add_argument("--users", type=int, default=200, help="size of the emulated tenant")
    command.add_argument("--pace", type=float, default=0.02, help="scales every deliberate wait")
    command.add_argument("--durable", action="store_true", help="queues survive a killed broker")
    token = commands.add_parser("token", help="print an access token for the functions' API")
    token.add_argument("caller", choices=("reader", "operator", "approver"))
    token.add_argument("--state", type=Path, default=Path("build/local-cloud.json"))
    given = parser.parse_args()
    if given.command == "token":
        sys.stdout.write(access_token(json.loads(given.state.read_text()), given.caller) + "\n")
        return
    try:
        asyncio.run(up(given.state, given.users, given.pace, durable=given.durable))
    finally:
        given.state.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
