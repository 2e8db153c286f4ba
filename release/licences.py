"""Under which licence each dependency is, and whether that is one of those allowed."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from email.message import Message
from importlib.metadata import Distribution
from pathlib import Path
from typing import Any

from license_expression import (  # type: ignore[import-untyped]  # has no types
    ExpressionError,
    get_spdx_licensing,
)

from release.site import named

POLICY = Path(__file__).with_suffix(".toml")
CLASSIFIER = "License :: OSI Approved :: "
SPDX = get_spdx_licensing()


@dataclass(frozen=True)
class Policy:
    """What licences.toml says."""

    allowed: frozenset[str]
    words: dict[str, str]
    packages: dict[str, str]

    @classmethod
    def read(cls, file: Path = POLICY) -> "Policy":
        found = tomllib.loads(file.read_text("utf-8"))
        return cls(frozenset(found["allowed"]), found["words"], found.get("packages", {}))


@dataclass(frozen=True, order=True)
class Licence:
    """What is known of one distribution; *expression* is empty where nothing is."""

    name: str
    version: str
    expression: str
    allowed: bool
    shipped: bool = False


def licence(found: Distribution, policy: Policy, shipped: Iterable[str] = ()) -> Licence:
    name = named(found)
    expression = policy.packages.get(name) or expression_of(found, policy)
    return Licence(
        name=name,
        version=found.version,
        expression=expression,
        allowed=bool(expression) and _allowed(SPDX.parse(expression), policy.allowed),
        shipped=name in shipped,
    )


def expression_of(found: Distribution, policy: Policy) -> str:
    """An SPDX expression from the metadata, the most exact field first; empty if none tells.

    Several classifiers do not say whether one may choose, so all of them must be allowed.
    """
    metadata: Message[str, str] = found.metadata  # type: ignore[assignment]  # it is one
    for text in (metadata.get("License-Expression"), metadata.get("License")):
        if text and (exact := _spdx(policy.words.get(text.strip(), text.strip()))):
            return exact
    classifiers = [
        each.removeprefix(CLASSIFIER)
        for each in metadata.get_all("Classifier") or ()
        if each.startswith(CLASSIFIER)
    ]
    known = [policy.words.get(each, "") for each in classifiers]
    return _spdx(" AND ".join(known)) if all(known) else ""


def _spdx(text: str) -> str:
    """The expression as SPDX writes it; empty if it is none."""
    if not text or "\n" in text:
        return ""
    try:
        return str(SPDX.parse(text, validate=True))
    except ExpressionError:
        return ""


def _allowed(expression: Any, allowed: frozenset[str]) -> bool:
    """Of alternatives one must be allowed, of a conjunction all; an exception is a licence anew."""
    arguments = getattr(expression, "args", ())
    if not arguments:
        return str(expression) in allowed
    each = [_allowed(argument, allowed) for argument in arguments]
    return any(each) if expression.operator.strip() == "OR" else all(each)


def report(found: Iterable[Licence]) -> str:
    """A table for people."""
    rows = [
        f"| {each.name} | {each.version} | {each.expression or 'unknown'} |"
        f" {'package' if each.shipped else 'development'} |{'' if each.allowed else ' not allowed'}"
        for each in sorted(found)
    ]
    return "\n".join(
        ["| distribution | version | licence | used in |", "|---|---|---|---|", *rows, ""]
    )
