"""Runs Azurite on loopback and keeps its data in a folder."""

import asyncio
import contextlib
import logging
import os
import re
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from emulators.azurite.node import HERE, commands, environment, installed

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""The well-known development account; public by design."""
SERVICES = ("Blob", "Table", "Queue")
LISTENING = re.compile(r"Azurite (\w+) service is successfully listening at http://[^:]+:(\d+)")
START, STOP = 60, 20
"""Seconds to wait for the start and for a clean end."""


class Azurite:
    """A running Azurite; a restart keeps ports and data."""

    def __init__(self, folder: Path, ports: dict[str, int], *, durable: bool) -> None:
        self._folder = folder.absolute()
        self._durable = durable
        self._process: Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self.ports = ports

    @property
    def connection_string(self) -> str:
        endpoints = "".join(
            f"{service}Endpoint=http://{HOST}:{self.ports[service]}/{ACCOUNT};"
            for service in SERVICES
        )
        account = f"AccountName={ACCOUNT};AccountKey={KEY};"
        return f"DefaultEndpointsProtocol=http;{account}{endpoints}"

    @property
    def pid(self) -> int:
        """The process that serves; it changes with every restart."""
        if self._process is None:
            raise RuntimeError("Azurite is not running")
        return self._process.pid

    async def start(self) -> None:
        """Start and wait until all three services listen."""
        script = await asyncio.to_thread(installed)
        self._folder.mkdir(parents=True, exist_ok=True)
        node, _ = commands()
        self._process = await asyncio.create_subprocess_exec(
            *node,
            *self._preloaded(),
            str(script),
            *self._arguments(),
            cwd=self._folder,
            env=environment(),
            stdout=PIPE,
        )
        try:
            async with asyncio.timeout(START):
                await self._listening(self._process)
        except BaseException:
            await self.kill()
            raise
        self._reading = asyncio.create_task(_drain(self._process))

    async def kill(self) -> None:
        """End it as a crash would, by SIGKILL."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> None:
        """End it cleanly."""
        try:
            async with asyncio.timeout(STOP):
                await self._end(signal.SIGTERM)
        except TimeoutError:
            log.warning("azurite.stop-timed-out")
            await self.kill()

    async def restart(self) -> None:
        """Start again on the same ports; kill it first if it still runs."""
        await self.kill()
        await self.start()

    async def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, how)
            await self._process.wait()
        if self._reading is not None:
            await self._reading
        self._process = self._reading = None

    def _preloaded(self) -> list[str]:
        names = ["parent.cjs", "durable.cjs"] if self._durable else ["parent.cjs"]
        return [word for name in names for word in ("--require", str(HERE / name))]

    def _arguments(self) -> list[str]:
        """Newer SDKs speak newer api-versions than Azurite knows, hence no check."""
        said = ["--location", str(self._folder), "--silent", "--skipApiVersionCheck"]
        said += ["--disableTelemetry"]
        for service in SERVICES:
            name = service.lower()
            said += [f"--{name}Host", HOST, f"--{name}Port", str(self.ports[service])]
        return said

    async def _listening(self, process: Process) -> None:
        """Read the ports from what it prints; port 0 means that it chose one."""
        assert process.stdout is not None  # noqa: S101  # for the type: it was asked for
        missing = set(SERVICES)
        while missing:
            line = (await process.stdout.readline()).decode()
            if not line:
                raise RuntimeError(f"Azurite ended before it listened: {await process.wait()}")
            found = LISTENING.search(line)
            if found:
                self.ports[found[1]] = int(found[2])
                missing.discard(found[1])


async def _drain(process: Process) -> None:
    """Read on, so that the pipe never fills."""
    if process.stdout is not None:
        async for line in process.stdout:
            log.debug("azurite: %s", line.decode().rstrip())


@asynccontextmanager
async def serving(
    folder: Path,
    blob_port: int = 0,
    table_port: int = 0,
    queue_port: int = 0,
    *,
    durable: bool = True,
) -> AsyncIterator[Azurite]:
    """Run Azurite with its data in *folder*.

    *durable*: a write is answered only when it is saved, so that a kill loses nothing that was
    acknowledged. Its price grows with the size of the tables, as Azurite saves them whole.
    """
    ports = {"Blob": blob_port, "Table": table_port, "Queue": queue_port}
    azurite = Azurite(folder, ports, durable=durable)
    await azurite.start()
    try:
        yield azurite
    finally:
        await azurite.stop()
