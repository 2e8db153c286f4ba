"""Runs the emulator as a process of its own, as its users do."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class Emulator:
    """One process, started and ready."""

    def __init__(self, config: Path, *options: str, port: int = 0) -> None:
        command = [sys.executable, "-m", "emulators.servicebus"]
        command += ["--config", str(config), "--port", str(port), *options]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.ready: dict[str, Any] = json.loads(self._process.stdout.readline())
        self.port = int(self.ready["port"])
        self.connection_string = str(self.ready["connection_string"])

    def kill(self) -> None:
        """End it without a chance to tidy up."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """End it in good order and answer its exit status."""
        return self._end(signal.SIGTERM)

    def _end(self, number: int) -> int:
        if self._process.poll() is None:
            os.kill(self._process.pid, number)
        status = self._process.wait(10)
        if self._process.stdout is not None:
            self._process.stdout.close()
        return status


@contextmanager
def running(config: Path, *options: str, port: int = 0) -> Iterator[Emulator]:
    """Run the emulator for the length of a block."""
    emulator = Emulator(config, *options, port=port)
    try:
        yield emulator
    finally:
        emulator.stop()
