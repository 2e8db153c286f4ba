"""Peers that the benchmark installs for itself, each in a folder of its own below ``build``."""

import asyncio
import fcntl
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.scale import processes
from bench.scale.rounds import Report
from emulators.azurite.node import commands

HERE = Path(__file__).parent
PEERS = HERE.parents[1] / "build" / "peers"
Install = Callable[[Path, Path], list[str]]


class Missing(Exception):
    """A peer that cannot be installed here, and why."""


def _backstage(source: Path, folder: Path) -> list[str]:
    node, npm = commands()
    for name in ("package.json", "package-lock.json", ".npmrc", "run.cjs"):
        shutil.copy(source / name, folder)
    if not (folder / "node_modules").exists():
        _run([*npm, "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"], folder)
    return [*node, "--max-old-space-size=8192", str(folder / "run.cjs")]


def _cartography(source: Path, folder: Path) -> list[str]:
    python = folder / "env" / "bin" / "python"
    if not python.exists():
        _run([sys.executable, "-m", "venv", "env"], folder)
    listed = str(source / "requirements.txt")
    if not (folder / "installed").exists():
        uv = [sys.executable, "-m", "uv", "pip", "install", "-q", "--python", str(python)]
        _run([*uv, "-r", listed], folder)
    return [str(python), str(source / "run.py")]


INSTALLS: dict[str, Install] = {"backstage": _backstage, "cartography": _cartography}


def installed(name: str) -> list[str]:
    """Answer the command that runs it; raises `Missing`."""
    source = HERE / name
    pins = source / ("package-lock.json" if name == "backstage" else "requirements.txt")
    folder = PEERS / f"{name}-{hashlib.sha256(pins.read_bytes()).hexdigest()[:12]}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        command = INSTALLS[name](source, folder)
        (folder / "installed").touch()
    return command


def _run(command: list[str], folder: Path) -> None:
    try:
        done = subprocess.run(  # noqa: S603 - our own command
            command, cwd=folder, capture_output=True, text=True, check=False
        )
    except OSError as error:
        raise Missing(f"{command[0]}: {error.strerror}") from error
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines() or ["no reason given"]
        raise Missing(f"{Path(command[0]).name} failed: {said[-1][:200]}")


async def run(name: str, target: dict[str, Any], log: Path) -> Report:
    """Its report, or one that says why it was skipped."""
    try:
        command = await asyncio.to_thread(installed, name)
    except Missing as reason:
        return Report(outcome=f"skipped: {reason}")
    try:
        return await processes.report(command, target, log)
    except (processes.ClientFailed, TimeoutError) as error:
        return Report(outcome=f"aborted: {error or 'out of time'}")
