"""ASP.NET route templates: literals, ``{x}``, ``{x?}``, ``{x=1}``, ``{*rest}`` and constraints."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from urllib.parse import unquote

from emulators.host.errors import HostStartError
from emulators.host.route_constraints import Check, constraint

T = TypeVar("T")


@dataclass
class Parameter:
    """One ``{...}`` of a template."""

    name: str
    optional: bool = False
    rest: bool = False
    default: str | None = None
    checks: list[Check] = field(default_factory=list)


def _split(text: str, separator: str) -> list[str]:
    """Split outside parentheses: a regex constraint may hold the separator."""
    parts, depth, start = [], 0, 0
    for at, char in enumerate(text):
        depth += (char == "(") - (char == ")")
        if char == separator and depth == 0:
            parts.append(text[start:at])
            start = at + 1
    return [*parts, text[start:]]


def _parameter(text: str) -> Parameter:
    name, *constraints = _split(text, ":")
    tail = constraints[-1] if constraints else name
    optional = tail.endswith("?")
    tail = tail.removesuffix("?")
    tail, equals, default = _split_default(tail)
    name, constraints = (name, [*constraints[:-1], tail]) if constraints else (tail, [])
    made = Parameter(name.lstrip("*"), optional, name.startswith("*"), default if equals else None)
    if not re.fullmatch("[A-Za-z_][A-Za-z0-9_-]*", made.name):
        raise HostStartError(f"route parameter '{{{text}}}' has no valid name")
    made.checks = [constraint(each) for each in constraints]
    return made


def _split_default(text: str) -> tuple[str, str, str]:
    if "(" in text:  # a default never follows an argument in a template of ours
        return text, "", ""
    return text.partition("=")


def _segments(template: str) -> Iterator[str]:
    """Segments between slashes; slashes inside braces do not count."""
    depth, start = 0, 0
    for at, char in enumerate(template):
        depth += (char == "{") - (char == "}")
        if char == "/" and depth == 0:
            yield template[start:at]
            start = at + 1
    if depth:
        raise HostStartError(f"route '{template}' has unbalanced braces")
    yield template[start:]


@dataclass(frozen=True)
class Segment:
    """One part between slashes: a regular expression and the parameters it captures."""

    pattern: re.Pattern[str]
    parameters: tuple[Parameter, ...]
    rank: int

    @classmethod
    def parse(cls, text: str) -> "Segment":
        """Literal text, one parameter, or a mixture such as ``v{x}.json``."""
        pattern, parameters = "", []
        for piece in re.split(r"(\{(?:[^{}]|\{\{|\}\}|\{[^{}]*\})*\})", text):
            if piece.startswith("{"):
                inner = piece[1:-1].replace("{{", "{").replace("}}", "}")
                parameters.append(_parameter(inner))
                pattern += "(.+)"
            else:
                pattern += re.escape(piece)
        if not parameters:
            rank = 0
        elif parameters[0].rest:
            rank = 4
        elif pattern != "(.+)":
            rank = 1
        else:
            rank = 2 if parameters[0].checks else 3
        return cls(re.compile(pattern, re.IGNORECASE), tuple(parameters), rank)

    @property
    def skippable(self) -> bool:
        return bool(self.parameters) and all(
            p.optional or p.rest or p.default is not None for p in self.parameters
        )


class Template:
    """One route; `match` answers the route values or None."""

    def __init__(self, text: str) -> None:
        self.segments = [Segment.parse(part) for part in _segments(text.strip("/")) if part]

    @property
    def precedence(self) -> list[int]:
        """Literal before constrained before free before catch-all, segment by segment."""
        return [segment.rank for segment in self.segments]

    def match(self, path: str) -> dict[str, str] | None:
        """Match an encoded path without its leading slash."""
        parts = [unquote(part) for part in path.strip("/").split("/")] if path.strip("/") else []
        values: dict[str, str] = {}
        for segment in self.segments:
            if segment.rank == 4:
                if parts:
                    values[segment.parameters[0].name] = "/".join(parts)
                return values
            if not parts:
                if not segment.skippable:
                    return None
                values |= {p.name: p.default for p in segment.parameters if p.default is not None}
            elif not _take(segment, parts.pop(0), values):
                return None
        return None if parts else values


def _take(segment: Segment, part: str, values: dict[str, str]) -> bool:
    found = segment.pattern.fullmatch(part)
    if found is None:
        return False
    for parameter, value in zip(segment.parameters, found.groups(), strict=True):
        if not all(check(value) for check in parameter.checks):
            return False
        values[parameter.name] = value
    return True


@dataclass(frozen=True)
class Route(Generic[T]):
    """A template, the methods it answers (empty: all) and what it leads to."""

    template: Template
    methods: frozenset[str]
    target: T


def find(routes: Sequence[Route[T]], method: str, path: str) -> tuple[T, dict[str, str]] | None:
    """First route in order of precedence that takes path and method."""
    for route in routes:
        if route.methods and method not in route.methods:
            continue
        values = route.template.match(path)
        if values is not None:
            return route.target, values
    return None
