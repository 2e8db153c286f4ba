"""The built-in connector profiles: one YAML file per product, strict about unknown keys."""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from shared.model.profile import (
    AUDIENCES,
    RESOURCES,
    DiscoveryPolicy,
    Feature,
    Input,
    Output,
    Profile,
    fill,
    holds,
    references,
)

if TYPE_CHECKING:
    from shared.profile.document import Document

__all__ = [
    "AUDIENCES",
    "RESOURCES",
    "Catalogue",
    "DiscoveryPolicy",
    "Feature",
    "Input",
    "Output",
    "Profile",
    "catalogue",
    "fill",
    "holds",
    "parse",
    "references",
]

FOLDER = Path(__file__).parents[1] / "profiles"


def parse(text: str, name: str = "profile") -> Profile:
    """Read a profile, which may extend a built-in one.

    Raises `shared.profile.document.ProfileInvalid` with *name* and the path of the first wrong key.
    """
    from shared.profile.document import convert, read  # YAML, which indexing does without

    return convert(read(text, name, built_in), name)


def built_in(profile: str) -> "Document":
    """A built-in profile as written, its base's keys filled in; raises `ProfileInvalid`."""
    from shared.profile.document import folder_base

    return folder_base(FOLDER)(profile)


@cache
def files() -> tuple[str, ...]:
    """Ids of the built-in profiles, which are the names of their files."""
    return tuple(sorted(file.stem for file in FOLDER.glob("*.yaml")))


class Catalogue(Mapping[str, Profile]):
    """The built-in profiles by id; each is read when it is asked for, and once."""

    def __init__(self) -> None:
        self._read: dict[str, Profile] = {}

    def __getitem__(self, profile: str) -> Profile:
        if profile not in files():
            raise KeyError(profile)
        if profile not in self._read:
            text = (FOLDER / f"{profile}.yaml").read_text("utf-8")
            self._read[profile] = parse(text, f"{profile}.yaml")
        return self._read[profile]

    def __iter__(self) -> Iterator[str]:
        return iter(files())

    def __len__(self) -> int:
        return len(files())

    def __contains__(self, profile: object) -> bool:
        return profile in files()


@cache
def catalogue() -> Catalogue:
    """The built-in profiles by id."""
    return Catalogue()
