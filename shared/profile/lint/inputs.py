"""Inputs: names that templates can refer to, and defaults that keep their own rules."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from shared.model.duration import parse_duration
from shared.model.profile import Input, Profile
from shared.profile.lint.finding import Finding, error, warning

NAME = re.compile(r"[a-z]+(?:_[a-z]+)*")
"""What a reference in a template can name."""

_TYPES: dict[str, tuple[type, ...]] = {
    "int": (int,),
    "list": (list,),
    "csv": (list, str),
    "map": (dict,),
}
"""Types of a default; text for all others."""


def check_inputs(profile: Profile) -> Iterator[Finding]:
    for name, declared in profile.inputs.items():
        path = f"inputs.{name}"
        if not NAME.fullmatch(name):
            message = "a name is of lower case words with underscores: templates refer to it"
            yield error("INPUT_INVALID", path, message)
        if declared.type == "enum" and not declared.values:
            yield error("INPUT_INVALID", f"{path}.values", "an enum has values")
        if declared.type == "duration" and declared.max is None:
            yield warning("DURATION_UNBOUNDED", path, "a duration has a max, such as P730D")
        if (wrong := _rules(declared)) or (wrong := _default(declared)):
            yield error("INPUT_INVALID", path, wrong)


def _rules(declared: Input) -> str:
    """What is wrong with bounds and pattern; empty when nothing is."""
    try:
        low, high = (_bound(declared, bound) for bound in (declared.min, declared.max))
    except ValueError as problem:
        return f"bounds: {problem}"
    if low is not None and high is not None and low > high:
        return f"min {declared.min} is above max {declared.max}"
    try:
        re.compile(declared.pattern or "")
    except re.error as problem:
        return f"pattern: {problem}"
    return ""


def _bound(declared: Input, bound: int | str | None) -> Any:
    if bound is None:
        return None
    if declared.type == "duration":
        return parse_duration(str(bound))
    if not isinstance(bound, int):
        raise ValueError(f"{bound} is not a number")  # noqa: TRY004 - as of a duration
    return bound


def _default(declared: Input) -> str:
    """What is wrong with the default; empty when nothing is."""
    value = declared.default
    if value is None:
        return ""
    types = _TYPES.get(declared.type, (str,))
    if not isinstance(value, types) or isinstance(value, bool):
        return f"default {value!r} is no {declared.type}"
    if declared.required:
        return "an input with a default is not required"
    check = _MORE.get(declared.type)
    return check(value, declared) if check else ""


def _text(value: str, declared: Input) -> str:
    if declared.pattern and not re.fullmatch(declared.pattern, value):
        return f"default {value} does not match the pattern"
    return _within(len(value), declared)


def _allowed(value: Any, declared: Input) -> str:
    elements = value if isinstance(value, list) else [value]
    wrong = [element for element in elements if element not in (declared.values or elements)]
    return f"default {wrong[0]} is not among the values" if wrong else ""


def _within(value: Any, declared: Input) -> str:
    low, high = (_bound(declared, bound) for bound in (declared.min, declared.max))
    if (low is not None and value < low) or (high is not None and value > high):
        return f"default {declared.default} is not from {declared.min} to {declared.max}"
    return ""


def _duration(value: str, declared: Input) -> str:
    try:
        return _within(parse_duration(value), declared)
    except ValueError as problem:
        return f"default: {problem}"


_MORE: dict[str, Callable[[Any, Input], str]] = {
    "string": _text,
    "int": _within,
    "enum": _allowed,
    "list": _allowed,
    "duration": _duration,
}
