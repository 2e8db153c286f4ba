"""Microsoft's own tests of the secrets client, from its source distribution, fetched once."""

import fcntl
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

VERSION = "4.12.0"
REQUIREMENT = f"azure-keyvault-secrets=={VERSION}"
CACHE = Path(__file__).parents[3] / "build" / "sources"


def suite() -> Path:
    """Answer the folder with the tests; skip where no package index is in reach."""
    CACHE.mkdir(parents=True, exist_ok=True)
    folder = CACHE / f"azure_keyvault_secrets-{VERSION}"
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "unpacked").exists():
            _unpack(_download())
            (folder / "unpacked").touch()
    return folder / "tests"


def _download() -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--no-binary", "azure-keyvault-secrets", "--dest", str(CACHE), REQUIREMENT]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"the source distribution could not be fetched: {done.stderr[-500:]}")
    return CACHE / f"azure_keyvault_secrets-{VERSION}.tar.gz"


def _unpack(archive: Path) -> None:
    with tarfile.open(archive) as opened:
        opened.extractall(CACHE, filter="data")
