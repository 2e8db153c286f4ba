"""The deployment package: our code, its dependencies as bytecode, nothing else (`make package`)."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec

from release import archive, sbom, site
from release.locks import PRODUCT, ROOT

FOLDERS = ("functions", "shared")
FILES = ("function_app.py", "host.json", PRODUCT)
SITE = Path(".python_packages/lib/site-packages")
"""Where a worker of Azure Functions looks for packages that were not built remotely."""
LEFT_OUT = ("__pycache__", "*.pyc", "__main__.py")
BUILD = Path("build")


class Target(msgspec.Struct, frozen=True):
    """Where the parts of a build are."""

    folder: Path

    @property
    def app(self) -> Path:
        """The package, unpacked: `azd` takes it from here."""
        return self.folder / "package"

    @property
    def zip(self) -> Path:
        return self.folder / "keyturn.zip"

    @property
    def bill(self) -> Path:
        return self.folder / "keyturn.cdx.json"

    @property
    def facts(self) -> Path:
        return self.folder / "keyturn.json"


class Facts(msgspec.Struct, frozen=True):
    """What there is to know of a package."""

    python: str
    platform: str
    sha256: str  # of the archive
    contents: str  # of names and contents, whatever compressed them
    files: int
    unpacked: int  # bytes
    packed: int  # bytes


class WrongPython(Exception):
    """The package is for another Python than the one that the apps are to run."""


def build(target: Target, root: Path = ROOT, *, trim: bool = True) -> Facts:
    """Make the package anew in *target*; raises `subprocess.CalledProcessError` if that fails.

    Without *trim* it is what a remote build would install, for comparison.
    """
    app = target.app
    shutil.rmtree(app, ignore_errors=True)
    app.mkdir(parents=True)
    copy_sources(root, app)
    site.install(app / PRODUCT, app / SITE)
    if trim:
        site.trim(app / SITE, [file for each in FOLDERS for file in (app / each).rglob("*.py")])
        sbom.write(site.installed(app / SITE), app / PRODUCT, target.bill)
        _compile(app)
    archive.write(app, target.zip)
    facts = _facts(target)
    target.facts.write_bytes(msgspec.json.format(msgspec.json.encode(facts)) + b"\n")
    return facts


def copy_sources(root: Path, app: Path) -> None:
    """Our own part, by a list of what belongs to it: a new folder does not slip in."""
    for name in FOLDERS:
        shutil.copytree(root / name, app / name, ignore=shutil.ignore_patterns(*LEFT_OUT))
    for name in FILES:
        shutil.copy(root / name, app / name)


def _compile(app: Path) -> None:
    command = [sys.executable, "-m", "release.bytecode", str(app / SITE), str(app), *FOLDERS]
    environment = {"PYTHONHASHSEED": "0", "PYTHONPATH": str(ROOT)}
    subprocess.run(command, check=True, env=environment)  # noqa: S603 - no shell


def _facts(target: Target) -> Facts:
    found = archive.files(target.app)
    return Facts(
        python=running(),
        platform=site.PLATFORM,
        sha256=archive.sha256(target.zip),
        contents=archive.contents(target.app),
        files=len(found),
        unpacked=sum(file.stat().st_size for file in found),
        packed=target.zip.stat().st_size,
    )


def running() -> str:
    """Python's version, as Azure names it."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def deployed(root: Path = ROOT) -> str:
    """The Python that the apps run, unless `azd` is told otherwise (infra/main.bicep)."""
    found = re.search(r"^param pythonVersion string = '([\d.]+)'", _bicep(root), re.MULTILINE)
    if found is None:
        raise WrongPython("infra/main.bicep has no default of the parameter pythonVersion")
    return found.group(1)


def _bicep(root: Path) -> str:
    return (root / "infra" / "main.bicep").read_text("utf-8")


def require_deployable(root: Path = ROOT) -> None:
    """Bytecode and compiled wheels are for one version: raise `WrongPython` if it is another."""
    if running() != deployed(root):
        raise WrongPython(
            f"the apps run Python {deployed(root)} (pythonVersion in infra/main.bicep), but .venv"
            f" has {running()}: make clean, then PYTHON=python{deployed(root)} make package"
        )
