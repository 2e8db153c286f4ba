"""App Service Authentication: validates bearer tokens and tells the functions who calls.

The platform sits in front of the function keys. It answers 401 by itself, drops the headers
that it owns from what callers send, and sets them from the token's claims. Source: "Work with
user identities in Azure App Service authentication".
"""

import base64
import json
import os
import ssl
from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp
import jwt

from emulators.clock import Clock

OWN = "x-ms-client-principal"
"""Prefix of the headers that only the platform sets."""

NAME_TYPE = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name"
ROLE_TYPE = "http://schemas.microsoft.com/ws/2008/06/identity/claims/role"

MAPPED = {
    "oid": "http://schemas.microsoft.com/identity/claims/objectidentifier",
    "tid": "http://schemas.microsoft.com/identity/claims/tenantid",
    "sub": "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier",
    "upn": "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn",
    "idp": "http://schemas.microsoft.com/identity/claims/identityprovider",
}
"""Claims that the platform renames; app roles keep their type ``roles``."""

NAMES = ("preferred_username", "upn", "unique_name", "name")

LEEWAY = 300.0
"""Seconds that clocks may differ, as the platform allows."""


class Unauthorized(Exception):
    """The token is absent or not good; the text is for the log only."""


class Authentication:
    """Checks tokens of one tenant for one API."""

    def __init__(self, authority: str, audiences: Sequence[str], clock: Clock) -> None:
        self._authority = authority.rstrip("/")
        self._audiences, self._clock = list(audiences), clock
        self._keys: dict[str, jwt.PyJWK] = {}
        self._issuers: list[str] = []

    @property
    def challenge(self) -> str:
        """The WWW-Authenticate header of a 401."""
        uri = f"{self._authority}/oauth2/v2.0/authorize"
        return f'Bearer realm="", authorization_uri="{uri}", resource_id="{self._audiences[0]}"'

    async def headers(self, authorization: str) -> dict[str, str]:
        """The platform's headers for the caller; raises `Unauthorized`."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise Unauthorized("no bearer token")
        claims = await self._claims(token.strip())
        principal = base64.b64encode(json.dumps(_principal(claims)).encode()).decode()
        name = next((str(claims[key]) for key in NAMES if key in claims), "")
        made = {
            OWN: principal,
            f"{OWN}-id": str(claims.get("oid") or claims.get("sub") or ""),
            f"{OWN}-idp": "aad",
        }
        # An application has no name: the platform then leaves the header out.
        return made | ({f"{OWN}-name": name} if name else {})

    async def _claims(self, token: str) -> dict[str, Any]:
        try:
            key = await self._key(str(jwt.get_unverified_header(token).get("kid", "")))
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=["RS256"],
                audience=self._audiences,
                # Time is the emulated clock's.
                options={"verify_exp": False, "verify_nbf": False, "verify_iat": False},
            )
        except jwt.PyJWTError as wrong:
            raise Unauthorized(str(wrong)) from wrong
        now = self._clock.time()
        if claims.get("iss") not in self._issuers:
            raise Unauthorized("another issuer")
        if claims.get("exp", 0) < now - LEEWAY or claims.get("nbf", 0) > now + LEEWAY:
            raise Unauthorized("expired, or not yet valid")
        return claims

    async def _key(self, kid: str) -> jwt.PyJWK:
        """The signing key; an unknown one makes the set be read again, as keys are replaced."""
        if kid not in self._keys:
            await self._load()
        if kid not in self._keys:
            raise Unauthorized("signed with an unknown key")
        return self._keys[kid]

    async def _load(self) -> None:
        trust = ssl.create_default_context(cafile=os.environ.get("SSL_CERT_FILE"))
        url = f"{self._authority}/v2.0/.well-known/openid-configuration"
        try:
            async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trust)) as http:
                metadata = await _json(http, url)
                keys = jwt.PyJWKSet.from_dict(await _json(http, metadata["jwks_uri"]))
        except (aiohttp.ClientError, TimeoutError, KeyError) as error:
            raise Unauthorized(f"the authority does not answer: {error}") from error
        tenant = metadata["issuer"].rstrip("/").split("/")[-2]
        # Version 1 tokens name another issuer than the metadata of version 2.
        self._issuers = [metadata["issuer"], f"https://sts.windows.net/{tenant}/"]
        self._keys = {key.key_id: key for key in keys.keys if key.key_id}


async def _json(http: aiohttp.ClientSession, url: str) -> dict[str, Any]:
    async with http.get(url, timeout=aiohttp.ClientTimeout(10), raise_for_status=True) as answer:
        found: dict[str, Any] = await answer.json()
        return found


def _principal(claims: Mapping[str, Any]) -> dict[str, Any]:
    """The decoded header: one entry for each value of a claim."""
    entries = [
        {"typ": MAPPED.get(name, name), "val": str(value)}
        for name, values in claims.items()
        for value in (values if isinstance(values, list) else [values])
    ]
    return {"auth_typ": "aad", "claims": entries, "name_typ": NAME_TYPE, "role_typ": ROLE_TYPE}
