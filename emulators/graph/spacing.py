"""Entra refuses credential writes on one application that overlap or follow too quickly."""

import re

from emulators.clock import Clock
from emulators.graph.errors import concurrent

_CREDENTIAL = re.compile(
    r"/(?:applications|servicePrincipals)/([^/]+)/(?:addPassword|removePassword|addKey|removeKey)",
    re.IGNORECASE,
)


class Spacing:
    """Off unless a number of seconds is set."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.seconds = 0.0
        self._writing: set[str] = set()
        self._last: dict[str, float] = {}

    def begin(self, method: str, path: str) -> str | None:
        """Note a credential write; 409 when another one is under way or was just done."""
        match = _CREDENTIAL.fullmatch(path) if method == "POST" and self.seconds else None
        if match is None:
            return None
        key = match[1].lower()
        last = self._last.get(key)
        if key in self._writing or (last is not None and self._clock.time() - last < self.seconds):
            raise concurrent()
        self._writing.add(key)
        return key

    def end(self, key: str | None) -> None:
        if key is not None:
            self._writing.discard(key)
            self._last[key] = self._clock.time()
