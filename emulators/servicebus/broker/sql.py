"""SQL filters: the comparisons, logic, IN, LIKE and IS NULL of Service Bus; no arithmetic."""

import re
from collections.abc import Callable
from typing import Any, NoReturn

from emulators.servicebus.broker.message import Message, facts

Values = Callable[[str], Any]
Term = Callable[[Values], Any]

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<string>'(?:[^']|'')*')"
    r"|(?P<word>[A-Za-z_][\w]*(?:\.(?:[A-Za-z_][\w-]*|\[[^\]]+\]))?|\[[^\]]+\])"
    r"|(?P<sign><>|!=|<=|>=|=|<|>|\(|\)|,|-))",
)
_SYSTEM = {
    "messageid": 0, "to": 2, "label": 3, "subject": 3, "replyto": 4, "correlationid": 5,
    "contenttype": 6, "sessionid": 10, "replytosessionid": 12,
}  # fmt: skip
_KEYWORDS = {"and", "or", "not", "in", "like", "is", "null", "true", "false", "escape", "exists"}
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: a == b,
    "<>": lambda a, b: a != b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


class UnsupportedFilterError(ValueError):
    """The expression is wrong, or uses what this emulator does not offer."""


def sql_filter(expression: str) -> Callable[[Message], bool]:
    """Answer the condition; comparisons with a missing property are unknown, as in SQL."""
    term = _Parser(expression).parse()

    def matches(message: Message) -> bool:
        properties, application = facts(message)

        def value(name: str) -> Any:
            if name.startswith("sys."):
                return properties[_SYSTEM[name[4:]]]
            return application.get(name)

        return term(value) is True

    return matches


class _Parser:
    """Recursive descent, one method per level of precedence."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens: list[tuple[str, str]] = []
        position = 0
        while text[position:].strip():
            match = _TOKEN.match(text, position)
            if match is None:
                self._refuse(f"at {text[position:].strip()!r}")
            self._tokens.append((str(match.lastgroup), match.group(str(match.lastgroup))))
            position = match.end()
        self._at = 0

    def parse(self) -> Term:
        term = self._or()
        if self._at < len(self._tokens):
            self._refuse(f"at {self._tokens[self._at][1]!r}")
        return term

    def _refuse(self, where: str) -> NoReturn:
        raise UnsupportedFilterError(
            f"SQL filter {self._text!r} is not supported {where}: the emulator knows comparisons "
            "of sys. and user properties with literals, AND, OR, NOT, IN, LIKE and IS NULL",
        )

    def _peek(self) -> str:
        """Answer the next sign or keyword in lower case, else nothing."""
        if self._at >= len(self._tokens):
            return ""
        kind, text = self._tokens[self._at]
        return text.lower() if kind == "sign" or text.lower() in _KEYWORDS else ""

    def _accept(self, wanted: str) -> bool:
        if self._peek() == wanted:
            self._at += 1
            return True
        return False

    def _expect(self, wanted: str) -> None:
        if not self._accept(wanted):
            self._refuse(f"without {wanted!r} after {self._at} tokens")

    def _or(self) -> Term:
        term = self._and()
        while self._accept("or"):
            term = _either(term, self._and())
        return term

    def _and(self) -> Term:
        term = self._not()
        while self._accept("and"):
            term = _both(term, self._not())
        return term

    def _not(self) -> Term:
        return _negated(self._not()) if self._accept("not") else self._condition()

    def _condition(self) -> Term:
        if self._accept("("):
            term = self._or()
            self._expect(")")
            return term
        left = self._operand()
        sign = self._peek()
        if sign in _COMPARISONS:
            self._at += 1
            return _compared(_COMPARISONS[sign], left, self._operand())
        if self._accept("is"):
            wanted = not self._accept("not")
            self._expect("null")
            return lambda values: (left(values) is None) is wanted
        negated = self._accept("not")
        if self._accept("in"):
            term = self._in(left)
        elif self._accept("like"):
            term = self._like(left)
        else:
            self._refuse("without a comparison")
        return _negated(term) if negated else term

    def _in(self, left: Term) -> Term:
        self._expect("(")
        choices = [self._operand()]
        while self._accept(","):
            choices.append(self._operand())
        self._expect(")")

        def inside(values: Values) -> bool | None:
            value = left(values)
            return None if value is None else any(value == choice(values) for choice in choices)

        return inside

    def _like(self, left: Term) -> Term:
        pattern = self._operand()
        escape = self._operand() if self._accept("escape") else None

        def like(values: Values) -> bool | None:
            value, wanted = left(values), pattern(values)
            if not isinstance(value, str) or not isinstance(wanted, str):
                return None
            mark = escape(values) if escape else None
            return re.fullmatch(_like_pattern(wanted, mark), value, re.DOTALL) is not None

        return like

    def _operand(self) -> Term:
        if self._at >= len(self._tokens):
            self._refuse("because it ends too early")
        kind, text = self._tokens[self._at]
        self._at += 1
        if kind == "string":
            return _literal(text[1:-1].replace("''", "'"))
        if kind == "number":
            return _literal(float(text) if "." in text else int(text))
        if text == "-" and self._at < len(self._tokens) and self._tokens[self._at][0] == "number":
            number = self._operand()
            return lambda values: -number(values)
        if kind == "word":
            return self._name(text)
        return self._refuse(f"at {text!r}")

    def _name(self, text: str) -> Term:
        lower = text.lower()
        if lower in {"true", "false"}:
            return _literal(lower == "true")
        if lower in _KEYWORDS:
            self._refuse(f"at {text!r}")
        scope, _, rest = text.rpartition(".") if not text.startswith("[") else ("", "", text)
        name = rest[1:-1] if rest.startswith("[") else rest
        if scope.lower() == "sys":
            if name.lower() not in _SYSTEM:
                self._refuse(f"at {text!r}")
            name = "sys." + name.lower()
        elif scope.lower() not in {"", "user"}:
            self._refuse(f"at {text!r}")
        return lambda values: values(name)


def _literal(value: Any) -> Term:
    return lambda _values: value


def _compared(compare: Callable[[Any, Any], bool], left: Term, right: Term) -> Term:
    def compared(values: Values) -> bool | None:
        first, second = left(values), right(values)
        if first is None or second is None:
            return None
        if isinstance(first, str) != isinstance(second, str):
            return None  # values of different types compare as unknown
        try:
            return compare(first, second)
        except TypeError:
            return None

    return compared


def _both(left: Term, right: Term) -> Term:
    def both(values: Values) -> bool | None:
        found = (left(values), right(values))
        return False if False in found else None if None in found else True

    return both


def _either(left: Term, right: Term) -> Term:
    def either(values: Values) -> bool | None:
        found = (left(values), right(values))
        return True if True in found else None if None in found else False

    return either


def _negated(term: Term) -> Term:
    def negated(values: Values) -> bool | None:
        value = term(values)
        return None if value is None else not value

    return negated


def _like_pattern(wanted: str, mark: str | None) -> str:
    pattern, escaped = "", False
    for letter in wanted:
        if not escaped and letter == mark:
            escaped = True
            continue
        special = {"%": ".*", "_": "."}.get(letter)
        pattern += special if special and not escaped else re.escape(letter)
        escaped = False
    return pattern
