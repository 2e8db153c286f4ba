"""The lock files that `make lock` writes: every version pinned, every file's hash named."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PRODUCT = "requirements.txt"
LOCKS = {
    PRODUCT: "requirements.in",
    "requirements-dev.txt": "requirements-dev.in",
    "requirements-uv.txt": "requirements-uv.in",
    "requirements-worker.txt": "requirements-worker.in",
    "infra/check/requirements.txt": "infra/check/requirements.in",
}
"""Each lock file and what it is made from."""


@dataclass(frozen=True, order=True)
class Pin:
    """One version of one distribution, and the SHA-256 sums that its files may have."""

    name: str
    version: str
    marker: str = ""
    hashes: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.name}=={self.version}"


def pins(file: Path) -> list[Pin]:
    """All pins of a lock file; raises `ValueError` for a line that pins nothing exactly."""
    return sorted(_pin(line) for line in lines(file))


def named(file: Path) -> set[str]:
    """Names of the distributions that a ``.in`` file asks for itself."""
    return {canonicalize_name(Requirement(line).name) for line in lines(file) if line[0] != "-"}


def lines(file: Path) -> Iterator[str]:
    """Logical lines without comments: a backslash continues a line."""
    for line in file.read_text("utf-8").replace("\\\n", " ").splitlines():
        text = line.split(" #")[0].strip()
        if text and not text.startswith("#"):
            yield text


def _pin(line: str) -> Pin:
    if line.startswith("-"):
        raise ValueError(f"a lock file has no options: {line.partition(' ')[0]}")
    text, *hashes = line.split(" --hash=")
    requirement = Requirement(text.strip())
    exact = [each.version for each in requirement.specifier if each.operator == "=="]
    if len(exact) != 1 or len(requirement.specifier) != 1:
        raise ValueError(f"{requirement.name} is not pinned to one version; run: make lock")
    return Pin(
        name=canonicalize_name(requirement.name),
        version=exact[0],
        marker=str(requirement.marker or ""),
        hashes=tuple(sorted(each.strip() for each in hashes)),
    )
