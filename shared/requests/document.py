"""Strict JSON: one object, no repeated keys, no numbers that JSON does not have, no hidden text."""

import json
import math
from typing import Any, NoReturn

from shared.requests.problem import MAX_BYTES, Problems, join
from shared.requests.text import unsafe

MAX_DEPTH = 6
"""A request has three levels: the body, `inputs`, and a list or map in it."""

_Repeated = dict[int, tuple[dict[str, Any], list[str]]]
"""Objects with repeated keys, by identity; holding the object keeps its identity its own."""


def read(body: bytes, found: Problems) -> dict[str, Any] | None:
    """Decode *body*; None, and a problem, when it is not a JSON object at all."""
    if len(body) > MAX_BYTES:
        found.add(
            "", "TOO_LARGE", f"the body has {len(body)} bytes", f"at most {MAX_BYTES} are taken"
        )
        return None
    if not body.strip():
        # The host hands over a body only when its length is announced.
        hint = "send one JSON object, with a Content-Length (a chunked body is not read)"
        found.add("", "NOT_JSON", "the body is empty", hint)
        return None
    repeated: _Repeated = {}
    try:
        document = json.loads(
            body.decode(),
            object_pairs_hook=lambda pairs: _object(pairs, repeated),
            parse_constant=_no_constant,
            parse_float=_finite,
        )
    except RecursionError:
        found.add("", "TOO_DEEP", "the body is nested too deeply", f"at most {MAX_DEPTH} levels")
        return None
    except ValueError as error:  # of UTF-8, of JSON, or a number that is too long
        found.add("", "NOT_JSON", f"the body is not JSON: {error}", "send one JSON object in UTF-8")
        return None
    if not isinstance(document, dict):
        found.add("", "NOT_JSON", "the body is not an object", "send one JSON object")
        return None
    return document if _walk(document, repeated, found) else None


def _object(pairs: list[tuple[str, Any]], repeated: _Repeated) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        seen: set[str] = set()
        again: set[str] = set()
        for name, _ in pairs:
            (again if name in seen else seen).add(name)
        repeated[id(made)] = (made, sorted(again))
    return made


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is out of range")
    return number


def _walk(document: dict[str, Any], repeated: _Repeated, found: Problems) -> bool:
    """Report repeated keys and hidden text at any level; False when it is nested too deeply."""
    waiting: list[tuple[str, Any, int]] = [("", document, 1)]
    while waiting:
        path, value, depth = waiting.pop()
        if depth > MAX_DEPTH:
            message = f"{path} is nested too deeply"
            found.add(path, "TOO_DEEP", message, f"at most {MAX_DEPTH} levels")
            return False
        if isinstance(value, str):
            _check_text(path, value, "text", found)
        elif isinstance(value, list):
            parts = [(f"{path}[{place}]", part, depth + 1) for place, part in enumerate(value)]
            waiting.extend(reversed(parts))
        elif isinstance(value, dict):
            _, again = repeated.get(id(value), (value, []))
            for name in again:
                where = join(path, name)
                message = f"{where} is given more than once"
                found.add(where, "FIELD_REPEATED", message, "give it once")
            for name in value:
                _check_text(join(path, name), name, "field name", found)
            members = [(join(path, name), part, depth + 1) for name, part in value.items()]
            waiting.extend(reversed(members))
    return True


def _check_text(path: str, text: str, what: str, found: Problems) -> None:
    if why := unsafe(text):
        found.add(path, "TEXT_UNSAFE", f"the {what} at {path} holds {why}", "remove the character")
