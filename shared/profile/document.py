"""Reading a profile's YAML: safe, each key once, `extends` followed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import yaml

from shared.model.profile import Profile

Document = dict[str, Any]
Base = Callable[[str], Document]
"""Answers another profile's document by its id, already extended; raises `ProfileInvalid`."""

# The C parser, where PyYAML was built with it, reads a profile ten times as fast.
_Safe: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class ProfileInvalid(ValueError):
    """What is wrong with a profile and where: ``name: path: message``."""


class _Loader(_Safe):  # type: ignore[misc] # chosen at run time
    """A safe loader that refuses a key given twice: YAML would quietly keep the last one."""

    def construct_mapping(
        self,
        node: yaml.MappingNode,
        deep: bool = False,  # noqa: FBT001,FBT002 - PyYAML's signature
    ) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    problem=f"key {key.value!r} is given twice", problem_mark=key.start_mark
                )
            seen.add(key.value)
        found: dict[Any, Any] = super().construct_mapping(node, deep)
        return found


def read(text: str, name: str, base: Base) -> Document:
    """The document of *text*, named *name* in errors, with the keys of the one it extends.

    Raises `ProfileInvalid`: no YAML, no mapping, a key twice, or no such base.
    """
    try:
        own = yaml.load(text, _Loader)  # noqa: S506 - a subclass of the safe loader
    except yaml.YAMLError as error:
        raise ProfileInvalid(f"{name}: {_where(error)}") from error
    if not isinstance(own, dict):
        raise ProfileInvalid(f"{name}: a profile is a mapping of keys")
    extended = own.pop("extends", None)
    if extended is None:
        return own
    if not isinstance(extended, str):
        raise ProfileInvalid(f"{name}: extends: the id of one other profile is expected")
    if missing := [key for key in ("schema", "id", "title") if key not in own]:
        raise ProfileInvalid(f"{name}: {missing[0]}: a profile that extends another has its own")
    try:
        return {**base(extended), **own}
    except ProfileInvalid as error:
        raise ProfileInvalid(f"{name}: {error}") from error


def folder_base(*folders: Path, chain: tuple[str, ...] = ()) -> Base:
    """Bases from the first of *folders* that has them; one that extends itself is refused."""

    def find(profile: str) -> Document:
        if profile in chain:
            raise ProfileInvalid(f"extends: {' extends '.join((*chain, profile))}")
        for folder in folders:
            file = folder / f"{profile}.yaml"
            if file.is_file():
                further = folder_base(*folders, chain=(*chain, profile))
                return read(file.read_text("utf-8"), file.name, further)
        raise ProfileInvalid(f"extends: there is no profile {profile}")

    return find


def convert(document: Document, name: str) -> Profile:
    """Check *document* against the schema; raises `ProfileInvalid` with the path."""
    try:
        return msgspec.convert(document, Profile)
    except msgspec.ValidationError as error:
        raise ProfileInvalid(f"{name}: {_message(error)}") from error


def _message(error: msgspec.ValidationError) -> str:
    text, found, path = str(error).rpartition(" - at `$")
    return f"{path.rstrip('`').lstrip('.')}: {text}" if found else str(error)


def _where(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or "is not YAML"
    return f"line {mark.line + 1}: {problem}" if mark is not None else str(problem)
