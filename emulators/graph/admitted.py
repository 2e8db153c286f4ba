"""Which permission let each call of each application in: `GET`, `DELETE /admin/permissions`.

Of several that its caller holds and that are documented as sufficient, the least privileged one
counts as used. What nobody uses need not be granted, and what is refused was not enough.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Admitted:
    used: dict[str, dict[str, set[str]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(set))
    )
    """By client id and permission: the calls, each a method and the template of its path."""
    refused: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Calls that were answered 403."""

    def let_in(self, app_id: str, permissions: frozenset[str], call: str) -> None:
        for permission in permissions:
            self.used[app_id][permission].add(call)

    def turn_away(self, app_id: str, call: str) -> None:
        self.refused[app_id].add(call)

    def clear(self) -> None:
        self.used.clear()
        self.refused.clear()

    def view(self) -> dict[str, Any]:
        return {
            app_id: {
                "used": {name: sorted(calls) for name, calls in sorted(self.used[app_id].items())},
                "refused": sorted(self.refused[app_id]),
            }
            for app_id in sorted({*self.used, *self.refused})
        }
