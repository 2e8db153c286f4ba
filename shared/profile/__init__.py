"""The built-in connector profiles: one YAML file per product, strict about unknown keys."""

from functools import cache
from pathlib import Path

import msgspec

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

__all__ = [
    "AUDIENCES",
    "RESOURCES",
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


def parse(text: str) -> Profile:
    """Read a profile; raises `msgspec.ValidationError` with the path of the first wrong key."""
    import yaml

    return msgspec.convert(yaml.safe_load(text), Profile)


@cache
def catalogue() -> dict[str, Profile]:
    """The built-in profiles by id."""
    found = [parse(file.read_text("utf-8")) for file in sorted(FOLDER.glob("*.yaml"))]
    return {profile.id: profile for profile in found}
