"""OData $filter: parsed into a test over one JSON object."""

import re
from collections.abc import Callable
from typing import Any

from emulators.graph.errors import GraphError
from emulators.graph.schema import property_type

Test = Callable[[dict[str, Any]], bool]
Read = Callable[[dict[str, Any]], Any]

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<punct>[(),:])"
    r"|(?P<word>[A-Za-z_$@#][\w./$@#-]*|[\w.:+-]+))"
)
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda a, b: bool(a == b),
    "ne": lambda a, b: bool(a != b),
    "gt": lambda a, b: a is not None and b is not None and a > b,
    "ge": lambda a, b: a is not None and b is not None and a >= b,
    "lt": lambda a, b: a is not None and b is not None and a < b,
    "le": lambda a, b: a is not None and b is not None and a <= b,
}
_TEXT_TESTS: dict[str, Callable[[str, str], bool]] = {
    "startswith": str.startswith,
    "endswith": str.endswith,
    "contains": str.__contains__,
}


def invalid(why: str) -> GraphError:
    return GraphError(400, "BadRequest", f"Invalid filter clause: {why}")


class Filter:
    """A parsed filter; `advanced` says that it needs ConsistencyLevel: eventual."""

    def __init__(self, text: str, kind: str) -> None:
        self._kind = kind
        self._tokens = _tokens(text)
        self._at = 0
        self.advanced = False
        self.properties: set[str] = set()
        self._variables: set[str] = set()
        self.matches: Test = self._either()
        if self._at < len(self._tokens):
            raise invalid(f"Syntax error at '{self._tokens[self._at]}'.")

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _next(self) -> str:
        token = self._peek()
        if not token:
            raise invalid("Syntax error at the end of the expression.")
        self._at += 1
        return token

    def _expect(self, token: str) -> None:
        if self._next() != token:
            raise invalid(f"'{token}' expected.")

    def _either(self) -> Test:
        parts = [self._both()]
        while self._peek().lower() == "or":
            self._next()
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else lambda item: any(part(item) for part in parts)

    def _both(self) -> Test:
        parts = [self._single()]
        while self._peek().lower() == "and":
            self._next()
            parts.append(self._single())
        return parts[0] if len(parts) == 1 else lambda item: all(part(item) for part in parts)

    def _single(self) -> Test:
        if self._peek() == "(":
            self._next()
            inside = self._either()
            self._expect(")")
            return inside
        word = self._next()
        if word.lower() == "not":
            self.advanced = True
            refused = self._single()
            return lambda item: not refused(item)
        if word.lower() in _TEXT_TESTS and self._peek() == "(":
            return self._text_test(word.lower())
        if word.lower().endswith(("/any", "/all")) and self._peek() == "(":
            return self._lambda(word)
        return self._comparison(self._path(word))

    def _text_test(self, name: str) -> Test:
        self.advanced = self.advanced or name == "endswith"
        self._expect("(")
        read = self._path(self._next())
        self._expect(",")
        wanted, test = str(_literal(self._next())), _TEXT_TESTS[name]
        self._expect(")")
        return lambda item: isinstance(text := read(item), str) and test(text, wanted)

    def _lambda(self, word: str) -> Test:
        path, _, name = word.rpartition("/")
        read, every = self._path(path), name.lower() == "all"
        self._expect("(")
        if self._peek() == ")":
            self._next()
            return lambda item: bool(read(item))
        variable = self._next()
        self._expect(":")
        self._variables.add(variable)
        inside = self._either()
        self._expect(")")
        self._variables.discard(variable)
        many = all if every else any
        return lambda item: many(inside(item | {variable: one}) for one in read(item) or [])

    def _comparison(self, read: Read) -> Test:
        operator = self._next().lower()
        if operator == "in":
            self._expect("(")
            values = [_literal(self._next())]
            while self._peek() == ",":
                self._next()
                values.append(_literal(self._next()))
            self._expect(")")
            return lambda item: read(item) in values
        if operator not in _COMPARE:
            raise invalid(f"Unknown operator '{operator}'.")
        self.advanced = self.advanced or operator == "ne"
        wanted, test = _literal(self._next()), _COMPARE[operator]
        if isinstance(wanted, bool) or wanted is None:
            return lambda item: test(read(item), wanted)
        return lambda item: (
            (type(value := read(item)) is type(wanted) and test(value, wanted))
            or (operator == "ne" and type(value) is not type(wanted))
        )

    def _path(self, word: str) -> Read:
        names = word.split("/")
        if names[-1] == "$count":
            self.advanced = True
            inner = self._path("/".join(names[:-1]))
            return lambda item: len(inner(item) or [])
        if names[0] not in self._variables:
            if property_type(self._kind, names[0]) is None:
                raise invalid(
                    f"Could not find a property named '{names[0]}' on type "
                    f"'microsoft.graph.{self._kind}'."
                )
            self.properties.add(names[0])
        return lambda item: _follow(item, names)


def _follow(item: Any, names: list[str]) -> Any:
    for name in names:
        item = item.get(name) if isinstance(item, dict) else None
    # Entra compares text without regard to case.
    return item.lower() if isinstance(item, str) else item


def _literal(token: str) -> Any:
    if token.startswith("'"):
        return token[1:-1].replace("''", "'").lower()
    if token in ("true", "false", "null"):
        return {"true": True, "false": False, "null": None}[token]
    if re.fullmatch(r"-?\d+", token):
        return int(token)
    if token[0].isdigit() or "-" in token:  # a bare guid or date
        return token.lower()
    raise invalid(f"Unexpected value '{token}'.")


def _tokens(text: str) -> list[str]:
    found, at = [], 0
    text = text.strip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise invalid(f"Syntax error at position {at} in '{text}'.")
        found.append(match[match.lastgroup or "word"])
        at = match.end()
    return found
