"""Installs the pinned JavaScript SDK once, and runs a script with it."""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

from emulators.azurite.node import commands

HERE = Path(__file__).parent / "js"
BUILD = Path(__file__).parents[3] / "build"


def installed() -> Path:
    """Answer the folder of packages; one per lock file, made once by whoever comes first."""
    lock_file = HERE / "package-lock.json"
    folder = BUILD / f"servicebus-js-{hashlib.sha256(lock_file.read_bytes()).hexdigest()[:12]}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not (folder / "installed").exists():
            for name in ("package.json", "package-lock.json"):
                shutil.copy(HERE / name, folder)
            _, npm = commands()
            command = [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            subprocess.run(command, cwd=folder, check=True, capture_output=True)
            (folder / "installed").touch()
    return folder / "node_modules"


def run(script: str, *arguments: str) -> dict[str, str | None]:
    """Answer what the script prints: scenario -> what went wrong, or nothing."""
    node, _ = commands()
    done = subprocess.run(
        [*node, str(HERE / script), *arguments],
        env={**os.environ, "NODE_PATH": str(installed())},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, str | None] = json.loads(done.stdout)
    return answer
