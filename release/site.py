"""The product's dependencies: installed for Azure Functions' machines, cut to what is used."""

import shutil
import subprocess
import sys
from collections.abc import Iterable
from importlib.metadata import Distribution, distributions
from pathlib import Path

from packaging.utils import canonicalize_name

from release.reach import SDK, Reach

PLATFORM = "x86_64-manylinux_2_28"
"""What the images of Azure Functions can load: x86-64, and a C library of 2018 or later."""
WHEELS = ("manylinux_2_28", "manylinux_2_17", "manylinux2014")
UNUSED = (
    "*.pyi", "*.pyx", "*.pxd", "*.c", "*.h", "py.typed",  # for compilers and type checkers
    "kiota-dom-export.txt", "kiota-lock.json",  # the Graph SDK's own build, 37 MB
)  # fmt: skip
RECORDS = ("RECORD", "INSTALLER", "REQUESTED", "uv_cache.json", "direct_url.json")
"""What installers note for themselves; it differs from machine to machine."""


def install(lock: Path, site: Path) -> None:
    """Install the files whose hashes *lock* names, as wheels, whatever machine this is.

    uv is tried first, as in `make setup`; pip knows every machine's settings. Raises
    `subprocess.CalledProcessError` when neither succeeds.
    """
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    common = ["--quiet", "--require-hashes", "--no-deps", "--only-binary", ":all:"]
    common += ["--target", str(site), "--python-version", version, "-r", str(lock)]
    uv = ["-m", "uv", "pip", "install", "--python-platform", PLATFORM, "--link-mode", "hardlink"]
    pip = ["-m", "pip", "--disable-pip-version-check", "install", "--no-compile"]
    pip += [f"--platform={each}_x86_64" for each in WHEELS]
    uv += ["--python", sys.executable]
    if subprocess.run([sys.executable, *uv, *common], check=False).returncode:  # noqa: S603 - no shell
        shutil.rmtree(site, ignore_errors=True)
        subprocess.run([sys.executable, *pip, *common], check=True)  # noqa: S603 - no shell
    _tidy(site)


def _tidy(site: Path) -> None:
    """Remove what an installer leaves besides the packages."""
    shutil.rmtree(site / "bin", ignore_errors=True)
    (site / ".lock").unlink(missing_ok=True)
    for folder in site.glob("*.dist-info"):
        for name in RECORDS:
            (folder / name).unlink(missing_ok=True)
    for folder in sorted(site.rglob("__pycache__")):
        shutil.rmtree(folder)


def trim(site: Path, sources: Iterable[Path]) -> None:
    """Remove what the product cannot reach: most of the Graph SDK, and what only compilers read."""
    for pattern in UNUSED:
        for file in site.rglob(pattern):
            file.unlink()
    reached = Reach(site, sources).files()
    for file in (site / SDK).rglob("*.py"):
        if file.relative_to(site) not in reached:
            file.unlink()
    for folder in sorted((site / SDK).rglob("*"), reverse=True):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def installed(site: Path) -> list[Distribution]:
    """Distributions in *site*, by name."""
    found = distributions(path=[str(site)])
    return sorted(found, key=named)


def named(found: Distribution) -> str:
    """Its name in the one spelling that can be compared."""
    return canonicalize_name(found.metadata["Name"])
