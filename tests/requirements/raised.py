"""Which codes the product's sources have, read without importing them."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]

CODE = re.compile(r"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)(?::.*)?", re.DOTALL)
"""Two words or more; behind a colon a code names what it is about, or its sentence follows."""

WORD = re.compile(r"[A-Z]{4,}")
"""Codes of one word are told from other words by where they stand: as the code of a failure."""

PLACES = {
    "NeedsHuman": 0, "TryLater": 0, "Ask": 0, "Wait": 0, "wait": 0, "Rejected": 1, "fault": 1,
    "add": 1,
}  # fmt: skip
"""Calls that make failures, and where in their arguments the code stands."""

NO_CODES = re.compile(r"(KEYTURN|AZURE|PAN_SEC|WEBSITE|OTEL|APPLICATIONINSIGHTS)_\w+|MAX_BYTES")
"""Names of settings, of a product's variables, and of what a module exports."""


@cache
def raised() -> dict[str, set[str]]:
    """Every code, and the modules that have it."""
    found: dict[str, set[str]] = {}
    for folder in ("shared", "functions"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            place = file.relative_to(ROOT).as_posix()
            for code in codes_of(ast.parse(file.read_text("utf-8"))):
                found.setdefault(code, set()).add(place)
    return found


def codes_of(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            match = CODE.fullmatch(node.value)
            if match and not NO_CODES.fullmatch(node.value):
                yield match.group(1)
        if isinstance(node, ast.Call):
            yield from _words(node)


def _words(call: ast.Call) -> Iterator[str]:
    place = PLACES.get(ast.unparse(call.func).rpartition(".")[2])
    given = [keyword.value for keyword in call.keywords if keyword.arg == "code"]
    if place is not None:
        given += call.args[place : place + 1]
    for value in given:
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            word = value.value.partition(":")[0]
            if WORD.fullmatch(word):
                yield word
