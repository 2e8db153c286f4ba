"""Access keys of the host: one function key and the master key."""

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

FUNCTION_KEY, MASTER_KEY = "FUNCTIONS_HOST_FUNCTION_KEY", "FUNCTIONS_HOST_MASTER_KEY"
"""Settings that fix the keys; without them each start makes new ones."""


@dataclass(frozen=True)
class Keys:
    """The master key opens everything, the function key everything of level FUNCTION."""

    function: str
    master: str

    def allow(self, level: str, presented: str | None) -> bool:
        """Whether *presented* opens a function of this authorization level."""
        if level.upper() == "ANONYMOUS":
            return True
        opens = [self.master] if level.upper() == "ADMIN" else [self.function, self.master]
        sent = (presented or "").encode()
        return any(hmac.compare_digest(sent, key.encode()) for key in opens)


def presented(headers: Mapping[str, str], query: Mapping[str, str]) -> str | None:
    """The key of a request; the header wins over ``?code=``."""
    return headers.get("x-functions-key") or query.get("code")


def load(settings: Mapping[str, str]) -> Keys:
    """Keys from settings, or fresh ones."""
    return Keys(
        function=settings.get(FUNCTION_KEY) or secrets.token_urlsafe(32),
        master=settings.get(MASTER_KEY) or secrets.token_urlsafe(32),
    )
