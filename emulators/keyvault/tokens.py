"""Access tokens: signature, audience, tenant and times, checked as the service does."""

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import jwt

from emulators.clock import Clock

AUDIENCE = "https://vault.azure.net"
SKEW = 300.0
"""Seconds by which a token may be younger than the vault's clock."""


@dataclass(frozen=True)
class Caller:
    """Who a token speaks for."""

    app_id: str
    oid: str = ""


class InvalidTokenError(Exception):
    """The token is not accepted; the text says why."""


class StaleTokenError(InvalidTokenError):
    """The token was good once: the client must ask for a new one past its cache."""


class IssuerUnreachableError(Exception):
    """The authority's signing keys could not be read."""


class Tokens:
    """Verifies tokens against the signing keys that the authority publishes."""

    def __init__(
        self,
        authority: str | None,
        tenant: str,
        tls: Path,
        clock: Clock,
        audience: str = AUDIENCE,
    ) -> None:
        self._audience = audience
        self._url = f"{authority}/{tenant}/discovery/v2.0/keys" if authority else None
        self._tenant = tenant
        self._clock = clock
        self._tls = tls
        self._keys: dict[str, jwt.PyJWK] = {}

    async def caller(self, token: str) -> Caller:
        """Answer who *token* speaks for, or raise `InvalidTokenError`."""
        if self._url is None:
            return _unverified(token)
        try:
            kid = str(jwt.get_unverified_header(token).get("kid", ""))
            claims: dict[str, Any] = jwt.decode(
                token,
                await self._key(kid, self._url),
                algorithms=["RS256"],
                audience=self._audience,
                # Times are checked below, on the emulated clock.
                options={"verify_exp": False, "verify_nbf": False, "verify_iat": False},
            )
        except jwt.InvalidAudienceError as error:
            found = jwt.decode(token, options={"verify_signature": False}).get("aud")
            raise InvalidTokenError(
                f"AKV10022: Invalid audience. Expected {self._audience}, found: {found}."
            ) from error
        except jwt.PyJWTError as error:
            raise InvalidTokenError(f"Error validating token: {error}") from error
        self._check(claims)
        return _caller(claims)

    def _check(self, claims: dict[str, Any]) -> None:
        if claims.get("tid") != self._tenant:
            raise InvalidTokenError(
                f"AKV10032: Invalid issuer. Expected tenant {self._tenant}, "
                f"found {claims.get('tid')}."
            )
        now = self._clock.time()
        if float(claims.get("nbf", 0)) > now + SKEW:
            raise InvalidTokenError("Error validating token: it is not valid yet.")
        if float(claims.get("exp", 0)) <= now:
            raise StaleTokenError("Error validating token: the token is expired.")

    async def _key(self, kid: str, url: str) -> jwt.PyJWK:
        """Keys are kept when the authority rolls over to new ones, as long as the vault runs."""
        if kid not in self._keys:
            self._keys |= await self._published(url)
        if kid not in self._keys:
            raise StaleTokenError("Error validating token: it is signed by an unknown key.")
        return self._keys[kid]

    async def _published(self, url: str) -> dict[str, jwt.PyJWK]:
        trust = ssl.create_default_context(cafile=str(self._tls / "ca.pem"))
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(10)) as session,
                session.get(url, ssl=trust, raise_for_status=True) as answer,
            ):
                published = jwt.PyJWKSet.from_dict(await answer.json())
        except (aiohttp.ClientError, TimeoutError, jwt.PyJWTError) as error:
            raise IssuerUnreachableError(f"no signing keys at {url}: {error}") from error
        return {key.key_id: key for key in published.keys if key.key_id}


def _caller(claims: dict[str, Any]) -> Caller:
    """Version 1 tokens name the application in ``appid``, version 2 tokens in ``azp``."""
    return Caller(str(claims.get("appid") or claims.get("azp") or ""), str(claims.get("oid", "")))


def _unverified(token: str) -> Caller:
    try:
        return _caller(jwt.decode(token, options={"verify_signature": False}))
    except jwt.PyJWTError:
        return Caller("anonymous")
