"""Members of a group or administrative unit, compact when they are a rule over the user numbers."""

from collections.abc import Iterator

from emulators.graph.population import Population

LARGE = 1000


class Membership:
    """Explicit members plus whole ranges of seeded users, which cost nothing to hold."""

    def __init__(self, users: Population, ranges: tuple[range, ...] = ()) -> None:
        self._users = users
        self._ranges = ranges
        self._added: dict[str, None] = {}
        self._removed: set[str] = set()
        self._listed: tuple[int, list[str]] | None = None

    def add(self, identity: str) -> None:
        self._listed = None
        self._removed.discard(identity)
        if not self._in_range(identity):
            self._added[identity] = None

    def remove(self, identity: str) -> None:
        self._listed = None
        self._added.pop(identity, None)
        if self._in_range(identity):
            self._removed.add(identity)

    def listed(self) -> list[str]:
        """All members in order; kept of large groups, whose pages are asked for in turn."""
        if self._listed is not None and self._listed[0] == self._users.version:
            return self._listed[1]
        found = list(self)
        if len(found) > LARGE:
            self._listed = (self._users.version, found)
        return found

    def __len__(self) -> int:
        """With those who were removed out of a range."""
        return len(self._added) + sum(len(numbers) for numbers in self._ranges)

    def explicit(self) -> list[str]:
        return list(self._added)

    def __contains__(self, identity: str) -> bool:
        if identity in self._added:
            return True
        return identity not in self._removed and self._in_range(identity)

    def __iter__(self) -> Iterator[str]:
        for identity in self._added:
            if not self._users.removed(identity):
                yield identity
        for numbers in self._ranges:
            for number in numbers:
                identity = self._users.id_of(number)
                if identity not in self._removed and not self._users.removed(identity):
                    yield identity

    def _in_range(self, identity: str) -> bool:
        if not self._ranges:
            return False
        number = self._users.number_of(identity)
        return number is not None and any(number in numbers for numbers in self._ranges)
