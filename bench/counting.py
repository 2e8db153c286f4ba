"""The functions host, writing down each call that Azure would charge for.

``python -m bench.counting`` takes the options of ``emulators.host``; the lines go to the file that
``BENCH_COUNTS`` names. It wraps what all SDKs send through, as `bench.host` does.
"""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import urlsplit

import aiohttp
import msgspec
from azure.servicebus.aio import ServiceBusSender

from emulators.host import logs
from emulators.host.__main__ import main
from emulators.host.context import Call
from emulators.host.function import Function
from emulators.host.invoke import Converters, Outcome

VARIABLE = "BENCH_COUNTS"
EXECUTION, MESSAGE, TABLE = "execution", "message", "table"
READ, WRITE, SECRET = "blob read", "blob write", "vault"


class Count(msgspec.Struct, frozen=True):
    """One thing that is charged for, and in which function; *seconds* of executions only."""

    what: str
    function: str
    seconds: float = 0.0


class Counted(Converters):
    """Dispatch core that notes each invocation."""

    def __init__(self, file: TextIO) -> None:
        super().__init__()
        self._file = file
        storage = dict(
            part.split("=", 1) for part in os.environ["KEYTURN_STORAGE"].split(";") if "=" in part
        )
        self._tables = urlsplit(storage["TableEndpoint"]).netloc
        self._blobs = urlsplit(storage["BlobEndpoint"]).netloc
        self._vault = urlsplit(os.environ["KEYTURN_VAULT_URL"]).netloc

    async def invoke(self, function: Function, call: Call) -> Outcome:
        began = time.perf_counter()
        try:
            return await super().invoke(function, call)
        finally:
            self.note(Count(EXECUTION, function.name, time.perf_counter() - began))

    def note(self, count: Count) -> None:
        self._file.write(msgspec.json.encode(count).decode() + "\n")
        self._file.flush()

    def request(self, method: str, url: str) -> None:
        place = urlsplit(url).netloc
        reading = method in ("GET", "HEAD")
        kinds = {
            self._tables: TABLE,
            self._blobs: READ if reading else WRITE,
            self._vault: SECRET,
        }
        if place in kinds:
            self.note(Count(kinds[place], logs.CURRENT.get()[0]))

    def wrap(self, owner: type, name: str, noted: Callable[..., None]) -> None:
        inner = getattr(owner, name)

        async def counted(*given: Any, **named: Any) -> Any:
            noted(*given, **named)
            return await inner(*given, **named)

        setattr(owner, name, counted)


def run() -> int:
    with Path(os.environ[VARIABLE]).open("a", encoding="utf-8") as file:
        counted = Counted(file)
        counted.wrap(
            aiohttp.ClientSession,
            "_request",
            lambda _, method, url, **__: counted.request(method, str(url)),
        )
        counted.wrap(
            ServiceBusSender,
            "send_messages",
            lambda *_, **__: counted.note(Count(MESSAGE, logs.CURRENT.get()[0])),
        )
        return main(dispatcher=lambda: counted)


if __name__ == "__main__":
    sys.exit(run())
