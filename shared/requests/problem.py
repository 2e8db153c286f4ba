"""Problems of a request, all of them at once."""

from collections.abc import Iterable
from typing import Any

from shared.model.connection import Value
from shared.requests.text import shown

MAX_BYTES = 64 * 1024
"""Of a body; a request with every field filled in has about 2 KiB."""

MAX_PROBLEMS = 30
"""Reported at once: enough for people, and together small enough for one row of the ledger."""

NAMED = 20
"""Allowed values that a hint names."""


class Problem(Value, frozen=True, omit_defaults=False):
    """One thing that is wrong with a request."""

    field: str  # JSON path, such as inputs.provider_name; empty for the whole body
    code: str
    message: str
    hint: str  # the allowed values, or what to do


class Problems:
    """Collects what is wrong, so that one answer names all of it."""

    def __init__(self) -> None:
        self._found: list[Problem] = []
        self._more = 0

    def add(self, field: str, code: str, message: str, hint: str) -> None:
        if len(self._found) == MAX_PROBLEMS:
            self._more += 1
            return
        self._found.append(
            Problem(
                field=shown(field, 100),
                code=code,
                message=shown(message, 300),
                hint=shown(hint, 400),
            )
        )

    def missing(self, field: str, hint: str) -> None:
        self.add(field, "INPUT_MISSING", f"{field} is missing", hint)

    def invalid(self, field: str, message: str, hint: str) -> None:
        self.add(field, "INPUT_INVALID", message, hint)

    def unknown_fields(self, given: Iterable[str], allowed: Iterable[str], within: str) -> None:
        """Refuse what is not allowed: a misspelt field must not be taken for an absent one."""
        known = tuple(allowed)
        for name in given:
            if name not in known:
                path = join(within, name)
                self.add(path, "FIELD_UNKNOWN", f"{path} is not a known field", one_of(known))

    def listed(self) -> list[Problem]:
        if not self._more:
            return list(self._found)
        rest = Problem(
            field="",
            code="TOO_MANY_PROBLEMS",
            message=f"{self._more} more problems are not listed",
            hint="correct the listed ones and send it again",
        )
        return [*self._found, rest]


def join(within: str, name: str) -> str:
    return f"{within}.{name}" if within else name


def one_of(allowed: Iterable[str]) -> str:
    """A hint that names the allowed values."""
    names = sorted(allowed)
    if not names:
        return "nothing is allowed here"
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return "allowed: " + ", ".join(names[:NAMED]) + more


def kind_of(value: Any) -> str:
    """A value's type in JSON's terms."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "a list"
        case _:
            return "an object"
