"""A mistake to seed into a copy of the repository, with the rule that has to find it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutation:
    """Replace the first `old` in a file by `new`; `found_in` when the finding is elsewhere."""

    name: str
    rule: str
    file: str
    old: str
    new: str
    found_in: str = ""
