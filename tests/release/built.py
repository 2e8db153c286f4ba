"""The package, built once for all tests of a run and for later runs on the same sources."""

import fcntl
import hashlib
import platform
import shutil
import sys
import zipfile
from pathlib import Path

import pytest

from release import archive, package
from release.locks import ROOT
from release.package import FILES, FOLDERS, SITE, Target

CACHE = ROOT / "build" / "tested-package"


def built() -> Target:
    """`make package` of these sources; tests in other processes wait for the one that builds."""
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        pytest.skip("the package holds what runs on Azure Functions: x86-64 Linux")
    target = Target(CACHE / _state())
    target.folder.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.facts.exists():
            package.build(target)
    return target


def _state() -> str:
    """Of everything that goes into a package, and of what builds it."""
    total = hashlib.sha256(sys.version.encode())
    files = [ROOT / name for name in FILES]
    for folder in (*FOLDERS, "release"):
        files += [each for each in archive.files(ROOT / folder) if "__pycache__" not in each.parts]
    for file in files:
        total.update(f"{file.relative_to(ROOT)} {archive.sha256(file)}\n".encode())
    return total.hexdigest()[:16]


def unpacked(folder: Path) -> Path:
    """The package's archive, unpacked elsewhere, as Azure mounts it."""
    with zipfile.ZipFile(built().zip) as opened:
        opened.extractall(folder)
    return folder


def site(app: Path) -> Path:
    return app / SITE


def package_hosting(folder: Path) -> Path:
    """Copies of what runs a package here, so that nothing of the checkout has to be on the path."""
    for part in ("emulators", "tests/worker"):
        ignored = shutil.ignore_patterns("__pycache__", "node_modules")
        shutil.copytree(ROOT / part, folder / part, ignore=ignored)
    (folder / "tests" / "__init__.py").touch()
    shutil.copy(ROOT / "tests" / "release" / "package_host.py", folder)
    return folder
