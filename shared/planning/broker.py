"""Access tokens that are kept fresh in the vault for products that want one.

The values have these forms: `expires_at` is in Unix seconds, `expires_in` and `ext_expires_in`
are seconds from when the token was issued, as text; the type and the scope are as answered.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from shared.errors import NeedsHuman
from shared.model.connection import BrokeredToken
from shared.model.credential import IssuedToken, StoredSecret
from shared.model.profile import RESOURCES
from shared.planning.vault_entries import Entry

APP_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)

RETRY = timedelta(minutes=15)
"""When a refresh that failed is tried again."""


def api_of(scope: str) -> str:
    """The application id that a profile's scope stands for; raises `NeedsHuman` SCOPE_UNKNOWN."""
    alias = scope.removesuffix("/.default")
    if alias in RESOURCES:
        return RESOURCES[alias]
    if APP_ID.fullmatch(alias):
        return alias
    raise NeedsHuman(
        "SCOPE_UNKNOWN",
        f"There is no API {alias or 'without a name'} to ask a token for.",
        f"Choose one of {', '.join(RESOURCES)}, or correct the scope in the profile.",
    )


def noted(issued: IssuedToken, now: datetime) -> BrokeredToken:
    """What the ledger keeps of a token."""
    return BrokeredToken(
        obtained=now,
        expires=now + timedelta(seconds=issued.expires_in),
        scope=issued.scope,
        token=issued.token.digest,
        token_type=issued.token_type,
        expires_in=issued.expires_in,
        ext_expires_in=issued.ext_expires_in,
    )


def token_values(token: BrokeredToken | None) -> dict[str, str]:
    """What templates may say of a token, but for the token itself; empty while there is none."""
    if token is None:
        members = ("scope", "token_type", "expires_at", "expires_in", "ext_expires_in")
        return {f"token.{member}": "" for member in members}
    return {
        "token.scope": token.scope,
        "token.token_type": token.token_type,
        "token.expires_at": str(int(token.expires.timestamp())),
        "token.expires_in": str(token.expires_in),
        "token.ext_expires_in": str(token.ext_expires_in),
    }


def refresh_at(token: BrokeredToken, refresh_before: timedelta) -> datetime:
    """A token that lives shorter than expected is not asked for again at once."""
    life = token.expires - token.obtained
    return token.expires - min(refresh_before, life / 2)


def stale(
    token: BrokeredToken | None,
    entries: Iterable[Entry],
    found: Mapping[str, StoredSecret | None],
    now: datetime,
) -> NeedsHuman | None:
    """What is wrong with the values in the vault: expired, missing, or not all of one token."""
    if token is None:
        return _trouble("no access token has been put in the vault yet")
    if token.expires <= now:
        return _trouble(f"the access token in the vault expired at {token.expires:%Y-%m-%d %H:%M}")
    other = [
        entry.name
        for entry in entries
        if (there := found.get(entry.name)) is None or there.tags.get("token") != token.token
    ]
    if other:
        return _trouble(f"not of the same access token, or missing: {', '.join(other)}")
    return None


def _trouble(what: str) -> NeedsHuman:
    return NeedsHuman(
        "TOKEN_BROKER_STALE",
        f"{what[0].upper()}{what[1:]}.",
        "The next sweep of the token timer writes a fresh one. If this stays, look at the "
        "condition CredentialReady and rotate the connection.",
    )
