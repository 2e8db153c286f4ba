"""A profile's inputs: each value is checked by its declared type and bounds."""

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from shared.model.duration import parse_duration
from shared.model.profile import Input, Profile, holds
from shared.profile.scan_inputs import inputs_of
from shared.requests.discovery import check_scan
from shared.requests.problem import Problems, kind_of, one_of

MAX_TEXT = 1000
"""Characters of a string whose profile sets no limit."""

MAX_ELEMENTS = 200
"""Of a list, csv or map."""

MAX_ELEMENT = 256
"""Characters of one element: the longest display name in the directory."""

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_LOOPBACK = ("localhost", "127.0.0.1")


class _Wrong(Exception):
    """What is wrong with one value, and the remedy."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def check_inputs(
    profile: Profile, features: Mapping[str, bool], given: Mapping[str, Any], found: Problems
) -> dict[str, Any]:
    """The values of every input that has one, defaults filled in."""
    known = inputs_of(profile)
    found.unknown_fields(given, known, "inputs")
    values: dict[str, Any] = {}
    for name, declared in known.items():
        value = given.get(name, declared.default)
        field = f"inputs.{name}"
        if _is_empty(value, declared):
            if needed := _needed(declared, features):
                found.missing(field, needed)
            elif value is None and name in given:
                found.invalid(field, f"{field} is null", "leave it out, or give a value")
            elif not isinstance(value, str | None):
                values[name] = value  # an empty list says: everything
            continue
        try:
            values[name] = CHECKS[declared.type](value, declared)
        except _Wrong as wrong:
            found.invalid(field, f"{field} {wrong.message}", wrong.hint)
    check_scan(profile, values, found)
    return values


def check_value(field: str, value: Any, declared: Input, found: Problems) -> Any:
    """One value outside of a profile's inputs; None, and a problem, when it is wrong."""
    try:
        return CHECKS[declared.type](value, declared)
    except _Wrong as wrong:
        found.invalid(field, f"{field} {wrong.message}", wrong.hint)
        return None


def _is_empty(value: Any, declared: Input) -> bool:
    match declared.type:
        case "list":
            return value is None or value == []
        case "csv":
            return value is None or value in ([], "")
        case "map":
            return value is None or value == {}
        case _:
            return value is None or (isinstance(value, str) and not value.strip())


def _needed(declared: Input, features: Mapping[str, bool]) -> str:
    """Why an input must be given; empty when it may be left out."""
    about = declared.about or "a value"
    if declared.required:
        return f"give it: {about}"
    if declared.required_when and holds(declared.required_when, features):
        return f"needed with {', '.join(declared.required_when)}: {about}"
    return ""


def _text(value: Any, declared: Input) -> str:
    if not isinstance(value, str):
        raise _Wrong(f"must be a string, not {kind_of(value)}", "put it in quotes")
    if value != value.strip():
        raise _Wrong("begins or ends with white space", "remove it")
    if "${" in value:
        raise _Wrong("has ${, which profiles use for references", "remove it")
    shortest, longest = declared.min, declared.max
    low = shortest if isinstance(shortest, int) else 0
    high = longest if isinstance(longest, int) else MAX_TEXT
    if not low <= len(value) <= high:
        raise _Wrong(f"has {len(value)} characters", f"{low} to {high} characters")
    if declared.pattern and not re.fullmatch(declared.pattern, value):
        raise _Wrong("does not have the expected form", f"pattern: {declared.pattern}")
    return value


def _int(value: Any, declared: Input) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _Wrong(f"must be a whole number, not {kind_of(value)}", "give a number, no quotes")
    low = declared.min if isinstance(declared.min, int) else -(2**31)
    high = declared.max if isinstance(declared.max, int) else 2**31 - 1
    if not low <= value <= high:
        raise _Wrong("is out of bounds", f"{low} to {high}")
    return value


def _enum(value: Any, declared: Input) -> str:
    if not isinstance(value, str) or value not in (declared.values or ()):
        raise _Wrong("is not one of the allowed values", one_of(declared.values or ()))
    return value


def _list(value: Any, declared: Input) -> list[str]:
    if not isinstance(value, list):
        raise _Wrong(f"must be a list, not {kind_of(value)}", 'for example ["first", "second"]')
    if len(value) > MAX_ELEMENTS:
        raise _Wrong(f"has {len(value)} elements", f"at most {MAX_ELEMENTS}")
    seen: set[str] = set()
    for place, element in enumerate(value):
        _check_element(element, place, declared)
        if element.casefold() in seen:
            raise _Wrong(f"has the same element again at place {place}", "give each one once")
        seen.add(element.casefold())
    return list(value)


def _check_element(element: Any, place: int, declared: Input) -> None:
    what = f"element {place}"
    if not isinstance(element, str):
        raise _Wrong(f"has {kind_of(element)} as {what}", "every element is a string")
    if not element.strip() or element != element.strip():
        raise _Wrong(f"has an empty or padded {what}", "remove the white space")
    if len(element) > MAX_ELEMENT or "${" in element:
        raise _Wrong(f"has an unusable {what}", f"at most {MAX_ELEMENT} characters, without ${{")
    if declared.values is not None and element not in declared.values:
        raise _Wrong(f"has an unknown {what}", one_of(declared.values))


def _csv(value: Any, declared: Input) -> list[str]:
    """Text with commas, or a list where names have commas; trimmed, each name once."""
    if not isinstance(value, str | list):
        raise _Wrong(f"must be a string or a list, not {kind_of(value)}", 'for example "a, b"')
    parts = value.split(",") if isinstance(value, str) else value
    kept: dict[str, Any] = {}
    for part in parts:
        element = part.strip() if isinstance(part, str) else part
        if element != "":
            kept.setdefault(element.casefold() if isinstance(element, str) else "", element)
    return _list(list(kept.values()), declared)


def _map(value: Any, declared: Input) -> dict[str, str]:
    if not isinstance(value, dict):
        raise _Wrong(f"must be an object, not {kind_of(value)}", 'for example {"name": "value"}')
    _list(list(value), declared)
    for name, member in value.items():
        if not isinstance(member, str) or len(member) > MAX_ELEMENT or "${" in member:
            raise _Wrong(f"has an unusable value at {name}", f"text of up to {MAX_ELEMENT}")
    return dict(value)


def _uri(value: Any, declared: Input) -> str:
    text = _text(value, declared)
    hint = "an https URL without user name and fragment"
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise _Wrong("is not a URL", hint) from None
    secure = parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)
    if not (secure and host) or "@" in parts.netloc or "#" in text or not text.isascii():
        raise _Wrong("is not an acceptable URL", hint)
    if any(character in text for character in ' "<>\\^`{|}'):
        raise _Wrong("has a character that no URL has", hint)
    return text


def _uuid(value: Any, _declared: Input) -> str:
    if not isinstance(value, str) or not _UUID.fullmatch(value):
        raise _Wrong("is not an id", "for example 2f1c8e0a-52b7-4f0e-9d51-6f2f0a7b9c3d")
    return value.lower()


def _duration(value: Any, declared: Input) -> str:
    low, high = str(declared.min or "PT1S"), str(declared.max or "P3650D")
    if not isinstance(value, str):
        raise _Wrong(f"must be a string, not {kind_of(value)}", f"{low} to {high}, in quotes")
    try:
        length = parse_duration(value)
    except ValueError:
        hint = f"{low} to {high}, for example P180D; years, months and weeks are not taken"
        raise _Wrong("is not an ISO 8601 duration of days or hours", hint) from None
    if not parse_duration(low) <= length <= parse_duration(high):
        raise _Wrong("is out of bounds", f"{low} to {high}")
    return value


CHECKS: dict[str, Callable[[Any, Input], Any]] = {
    "string": _text,
    "int": _int,
    "enum": _enum,
    "list": _list,
    "csv": _csv,
    "map": _map,
    "uri": _uri,
    "uuid": _uuid,
    "duration": _duration,
}
