"""Page tokens: where a list goes on, and how a service lets them die.

`POST /admin/paging`: `{"lifetime_seconds": s}` lets each token live that long, `{"expire": true}`
kills those that were given out so far.
"""

import base64
import json
from typing import Any

from emulators.clock import Clock
from emulators.graph.errors import GraphError, bad_request

EXPIRED = (
    "The specified page token value has expired and can no longer be included in your request."
)


def expired_page_token() -> GraphError:
    return bad_request(EXPIRED, "Directory_ExpiredPageToken")


def encode(state: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(state).encode()).decode().rstrip("=")


def decode(token: str) -> dict[str, Any] | None:
    """None when it is none of ours."""
    try:
        padded = token + "=" * (-len(token) % 4)
        state = json.loads(base64.urlsafe_b64decode(padded))
    except ValueError:
        return None
    return state if isinstance(state, dict) else None


def blank_token(query: dict[str, str], mark: int) -> str:
    """A token that differs from the one of *query* and goes on at the same place."""
    token = query.get("$skiptoken") or query.get("$deltatoken") or ""
    return encode((decode(token) or {"at": 0}) | {"blank": mark})


class Paging:
    """Tokens of one tenant; plain offsets unless they are to expire."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lifetime: float | None = None
        self._dead = 0  # tokens of generations before this one
        self.active = False

    def configure(self, wanted: dict[str, Any]) -> dict[str, Any]:
        if "lifetime_seconds" in wanted:
            seconds = wanted["lifetime_seconds"]
            self._lifetime = None if seconds is None else float(seconds)
        if wanted.get("expire"):
            self._dead += 1
        self.active = self._lifetime is not None or self._dead > 0
        return {"lifetime_seconds": self._lifetime, "generation": self._dead}

    def token(self, offset: int) -> str:
        state: dict[str, Any] = {"at": offset}
        return encode(state | self.stamp())

    def stamp(self) -> dict[str, Any]:
        """What a token says of its age; nothing while none is to expire."""
        return {"of": self._dead, "given": self._clock.time()} if self.active else {}

    def offset(self, token: str) -> int:
        """Where the list goes on; 400 for a token that is bad or too old."""
        state = decode(token)
        if state is None or not isinstance(state.get("at"), int):
            raise bad_request("The specified page token value is invalid.")
        self.check(state)
        return int(state["at"])

    def check(self, state: dict[str, Any]) -> None:
        if not self.active:
            return
        late = (
            self._lifetime is not None
            and self._clock.time() - float(state.get("given", 0.0)) > self._lifetime
        )
        if late or int(state.get("of", 0)) < self._dead:
            raise expired_page_token()
