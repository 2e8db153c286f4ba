"""The names that permissions and directory roles have, from `names.yaml`."""

import difflib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import msgspec

from shared.model.directory import Kind

FILE = Path(__file__).with_name("names.yaml")

NEAR = 0.8
"""Likeness of two names from which on one is taken for a slip of the other."""


class Api(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Permissions of an API; `complete` when it has no others."""

    complete: bool
    both: tuple[str, ...] = ()
    application: tuple[str, ...] = ()
    delegated: tuple[str, ...] = ()

    def of(self, kind: Kind) -> tuple[str, ...]:
        return self.both + (self.application if kind is Kind.APPLICATION else self.delegated)


class Roles(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    complete: bool
    names: tuple[str, ...]


class Names(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Permissions by the alias of their API, and the built-in directory roles."""

    permissions: dict[str, Api]
    roles: Roles


@cache
def names() -> Names:
    import yaml

    return msgspec.convert(yaml.safe_load(FILE.read_text("utf-8")), Names)


def spelled(name: str, known: Iterable[str]) -> str:
    """*name* as *known* spells it, in any letter case; empty when it is not among them."""
    return next((other for other in known if other.lower() == name.lower()), "")


def nearest(name: str, known: Iterable[str]) -> str:
    """What was probably meant by *name*; empty when nothing resembles it."""
    by_lower = {other.lower(): other for other in known}
    near = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=NEAR)
    return by_lower[near[0]] if near else ""
