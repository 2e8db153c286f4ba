"""Inline constraints of ASP.NET route templates, such as ``{id:int:min(1)}``."""

import re
import uuid
from collections.abc import Callable

from emulators.host.errors import HostStartError

Check = Callable[[str], bool]


def _parses(convert: Callable[[str], object]) -> Check:
    def check(text: str) -> bool:
        try:
            convert(text)
        except ValueError:
            return False
        return True

    return check


def _whole(bits: int) -> Check:
    def check(text: str) -> bool:
        return bool(re.fullmatch(r"[+-]?\d+", text)) and -(2 ** (bits - 1)) <= int(text) < 2 ** (
            bits - 1
        )

    return check


def _number(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[+-]?\d+", text) else None


def _length(text: str) -> Check:
    low, _, high = text.partition(",")
    return lambda value: int(low) <= len(value) <= int(high or low)


def _between(low: int | None, high: int | None) -> Check:
    def check(value: str) -> bool:
        number = _number(value)
        if number is None:
            return False
        return (low is None or number >= low) and (high is None or number <= high)

    return check


def _range(text: str) -> Check:
    low, high = text.split(",")
    return _between(int(low), int(high))


PLAIN: dict[str, Check] = {
    "int": _whole(32),
    "long": _whole(64),
    "bool": lambda text: text.lower() in {"true", "false"},
    "guid": _parses(uuid.UUID),
    "alpha": lambda text: bool(re.fullmatch("[A-Za-z]*", text)),
    "decimal": _parses(float),
    "double": _parses(float),
    "float": _parses(float),
    "required": bool,
}
WITH_ARGUMENT: dict[str, Callable[[str], Check]] = {
    "length": _length,
    "minlength": lambda text: lambda value: len(value) >= int(text),
    "maxlength": lambda text: lambda value: len(value) <= int(text),
    "min": lambda text: _between(int(text), None),
    "max": lambda text: _between(None, int(text)),
    "range": _range,
    "regex": lambda text: lambda value: bool(re.search(text, value, re.IGNORECASE)),
}


def constraint(text: str) -> Check:
    """The check that a constraint of a template stands for."""
    name, _, argument = text.partition("(")
    if argument and name in WITH_ARGUMENT:
        return WITH_ARGUMENT[name](argument.removesuffix(")"))
    if not argument and name in PLAIN:
        return PLAIN[name]
    raise HostStartError(f"route constraint '{text}' is not known")
