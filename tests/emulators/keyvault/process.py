"""The emulator as a process of its own."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]


@dataclass
class Process:
    """A running emulator and its ready line."""

    process: asyncio.subprocess.Process
    ready: dict[str, Any]

    async def kill(self) -> None:
        self.process.kill()
        await self.process.wait()


@asynccontextmanager
async def running(*arguments: str) -> AsyncIterator[Process]:
    """Run ``python -m emulators.keyvault`` until the block ends."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "emulators.keyvault", *arguments),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(30):
            line = await process.stdout.readline()
        yield Process(process, json.loads(line))
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
