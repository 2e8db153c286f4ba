"""Conditions and references: all that a profile may compute."""

import re
from collections.abc import Iterable, Mapping

_REFERENCE = re.compile(r"\$\{([a-z_]+(?:\.[a-z_]+)*)\}")


def holds(when: Iterable[str], features: Mapping[str, bool]) -> bool:
    """Whether all named features are on; ``!name`` means off."""
    return all(
        not features.get(name[1:], False) if name.startswith("!") else features.get(name, False)
        for name in when
    )


def fill(template: str, values: Mapping[str, str]) -> str:
    """Replace every ``${root.member}``; raises KeyError naming a reference that has no value."""
    return _REFERENCE.sub(lambda match: values[match.group(1)], template)


def references(template: str) -> tuple[str, ...]:
    return tuple(_REFERENCE.findall(template))
