"""What has changed, in order, for delta queries."""

from dataclasses import dataclass

from emulators.clock import Clock


@dataclass(frozen=True)
class Change:
    version: int
    at: float
    kind: str
    id: str
    removed: str | None = None
    """"changed" after a soft delete, "deleted" after a purge."""
    member: str | None = None
    member_removed: bool = False
    properties: tuple[str, ...] = ()
    relation: str = "members"
    """Of *member*: members or owners."""


class ChangeLog:
    """Append-only; a delta token names a version in it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._changes: list[Change] = []

    @property
    def version(self) -> int:
        return len(self._changes)

    def note(
        self,
        kind: str,
        identity: str,
        *,
        removed: str | None = None,
        member: str | None = None,
        member_removed: bool = False,
        properties: tuple[str, ...] = (),
        relation: str = "members",
    ) -> None:
        number = len(self._changes) + 1
        now = self._clock.time()
        self._changes.append(
            Change(
                number, now, kind, identity, removed, member, member_removed, properties, relation
            )
        )

    def settled_version(self, lag: float) -> int:
        """The newest version that a replica *lag* seconds behind has seen."""
        if lag == 0:
            return self.version
        limit = self._clock.time() - lag
        for change in reversed(self._changes):
            if change.at <= limit:
                return change.version
        return 0

    def between(self, kind: str, after: int, up_to: int) -> list[Change]:
        return [change for change in self._changes[after:up_to] if change.kind == kind]
