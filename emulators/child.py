"""A process of the local cloud: started, waited for until it is ready, ended by its pid."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

START_LIMIT = 60.0  # seconds until a process must have said that it is ready
STOP_LIMIT = 15.0  # seconds until a process that was asked to end is killed


class NotReady(Exception):
    """A process ended, or kept silent, before it was ready; its log says why."""


class Child:
    """One emulator in a process of its own, run as ``python -m``."""

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        log: Path,
        env: Mapping[str, str] | None = None,
        folder: Path | None = None,  # in which it runs, and from which it imports
    ) -> None:
        self.name = name
        self.ready: dict[str, Any] = {}
        self._arguments = [sys.executable, "-m", *arguments]
        self.env = {**os.environ, **(env or {})}
        """Of the next start: a restarted process may have other settings."""
        self._log = log.absolute()
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None
        self._drain: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int:
        if self._process is None:
            raise NotReady(f"{self.name} was not started")
        return self._process.pid

    async def start(self) -> dict[str, Any]:
        """Start and wait for the line in which it says that it is ready."""
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._arguments,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env=self.env,
                cwd=self._folder,
                start_new_session=True,  # Ctrl-C reaches the parent only, which ends us in order
            )
        try:
            self.ready = await asyncio.wait_for(self._first_line(), START_LIMIT)
        except (TimeoutError, NotReady) as error:
            await self.stop()
            raise NotReady(f"{self.name} did not start; see {self._log}") from error
        self._drain = asyncio.create_task(self._read_on())
        return self.ready

    async def _first_line(self) -> dict[str, Any]:
        assert self._process is not None and self._process.stdout is not None  # noqa: S101, PT018 - set by start
        while line := await self._process.stdout.readline():
            if line.startswith(b"{"):
                found: dict[str, Any] = json.loads(line)
                return found
        raise NotReady(self.name)

    async def _read_on(self) -> None:
        """Keep the pipe empty, or the process would block on it."""
        assert self._process is not None and self._process.stdout is not None  # noqa: S101, PT018 - set by start
        while line := await self._process.stdout.readline():
            with self._log.open("ab") as log:
                log.write(line)

    def kill(self) -> None:
        """SIGKILL: nothing gets a chance to tidy up."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()

    async def gone(self) -> None:
        """Wait until the process has ended."""
        if self._process is not None:
            await self._process.wait()
        if self._drain is not None:
            await self._drain

    async def stop(self) -> None:
        """SIGTERM, and SIGKILL if that is not heard."""
        if self._process is None or self._process.returncode is not None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self._process.wait(), STOP_LIMIT)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
