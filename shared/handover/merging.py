"""Fragments of a product's configuration file."""

from collections.abc import Mapping
from typing import Any

from shared.model.profile import fill


def merged(fragment: Mapping[str, Any], values: Mapping[str, str]) -> dict[str, Any]:
    """The fragment with its templates filled, in keys as well; what comes out empty is dropped."""
    found = {fill(key, values): _filled(part, values) for key, part in fragment.items()}
    return {key: part for key, part in found.items() if part not in ("", {}, [])}


def _filled(part: Any, values: Mapping[str, str]) -> Any:
    match part:
        case str():
            return fill(part, values).strip()
        case dict():
            return merged(part, values)
        case list():
            return [done for done in (_filled(item, values) for item in part) if done != ""]
        case _:
            return part


def joined(fragments: list[dict[str, Any]]) -> dict[str, Any]:
    """Several fragments of one file as one."""
    whole: dict[str, Any] = {}
    for fragment in fragments:
        _join(whole, fragment)
    return whole


def _join(whole: dict[str, Any], fragment: dict[str, Any]) -> None:
    for key, part in fragment.items():
        if isinstance(part, dict) and isinstance(whole.get(key), dict):
            _join(whole[key], part)
        else:
            whole[key] = part
