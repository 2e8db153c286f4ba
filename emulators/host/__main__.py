"""``python -m emulators.host --app DIR``"""

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from emulators.clock import Clock
from emulators.host import app_index, host_json, isolate, logs, options, settings
from emulators.host.authentication import Authentication
from emulators.host.emulated_time import EmulatedTime
from emulators.host.errors import HostStartError
from emulators.host.function import Function
from emulators.host.host import App, Host
from emulators.host.invoke import Converters, Dispatcher
from emulators.host.keys import Keys
from emulators.host.watchdog import EXIT_STATUS

log = logging.getLogger("host")

Index = Callable[[Path], list[Function]]
START_FAILED = 1


def main(
    arguments: list[str] | None = None,
    index: Index = app_index.index,
    dispatcher: Callable[[], Dispatcher] = Converters,
) -> int:
    """Run the host; another index and dispatch core can be given."""
    given = options.parser().parse_args(arguments)
    logs.configure(given.log_format, given.log_level)
    try:
        values = settings.load(given.settings)
        os.environ.update(values)
        os.environ.pop(settings.FORBIDDEN, None)
        given.app = given.app.resolve()
        if given.list:
            json.dump([{"name": f.name, "kind": f.kind} for f in index(given.app)], sys.stdout)
            return 0
        if given.isolate or given.supervise:
            return asyncio.run(_front(given))
        with EmulatedTime(given.clock).travelling() as time:
            return asyncio.run(_run(_host(given, values, index, dispatcher), given, time))
    except HostStartError as error:
        log.error("the host does not start: %s", error)  # noqa: TRY400 - the text says it all
        return START_FAILED


def _host(
    given: argparse.Namespace,
    values: dict[str, str],
    index: Index,
    dispatcher: Callable[[], Dispatcher],
) -> Host:
    os.environ.setdefault("AzureWebJobsScriptRoot", str(given.app))
    read = host_json.read(given.app)
    clock = Clock()  # this process is told the emulated time
    return Host(
        App(index(given.app), read, str(given.app)),
        settings.Settings(values),
        dispatcher(),
        only=given.only.split(",") if given.only else None,
        clock=clock,
        state=given.state,
        authentication=_authentication(given, clock),
        on_timeout=_kill,
    )


def _authentication(given: argparse.Namespace, clock: Clock) -> Authentication | None:
    if given.auth and not given.audience:
        raise HostStartError("--auth needs --audience: a token for another API must not open this")
    return Authentication(given.auth, given.audience, clock) if given.auth else None


def _kill() -> None:
    """A timeout kills the process without any clean-up, as the Azure host kills its worker."""
    sys.stderr.flush()
    os._exit(EXIT_STATUS)


async def _front(given: argparse.Namespace) -> int:
    front = isolate.Front(given, sys.argv[1:])
    return await _serve(front.running(given.port), lambda: (front.port, front.keys), given)


async def _run(host: Host, given: argparse.Namespace, time: EmulatedTime) -> int:
    async with time.followed():
        return await _serve(host.running(given.port), lambda: (host.port, host.keys), given)


async def _serve(
    running: AbstractAsyncContextManager[object],
    described: Callable[[], tuple[int, Keys]],
    given: argparse.Namespace,
) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if given.follow_stdin:
        loop.add_reader(sys.stdin.fileno(), stop.set)  # the supervisor went away
    async with running:
        port, keys = described()
        _announce(port, keys, given.ready_file)
        await stop.wait()
    return 0


def _announce(port: int, keys: Keys, file: Path | None) -> None:
    line = json.dumps(
        {
            "ready": True,
            "port": port,
            "functions": f"http://127.0.0.1:{port}",
            "function_key": keys.function,
            "master_key": keys.master,
        }
    )
    if file is not None:
        file.touch(mode=0o600)
        file.write_text(line)
    print(line, flush=True)  # noqa: T201 - the ready line is the contract of every emulator


if __name__ == "__main__":
    sys.exit(main())
