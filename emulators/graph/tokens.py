"""Access tokens: signing, the key set, and the check at Graph's door."""

import base64
import hashlib
import json
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from emulators.clock import Clock
from emulators.graph.errors import GraphError
from emulators.graph.routing import Caller

GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"
GRAPH_AUDIENCES = ("https://graph.microsoft.com", "https://graph.microsoft.com/", GRAPH_APP_ID)
LIFETIME = 3599


@cache
def _signing_key() -> RSAPrivateKey:
    """One key for each process: making it is the slowest part of a start."""
    return rsa.generate_private_key(65537, 2048)


def _number(value: int) -> str:
    raw = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class TokenIssuer:
    """Signs and verifies; holds the only key."""

    def __init__(self, tenant_id: str, clock: Clock) -> None:
        self._tenant_id, self._clock = tenant_id, clock
        self._key = _signing_key()
        public = self._key.public_key().public_numbers()
        self._modulus, self._exponent = _number(public.n), _number(public.e)
        digest = hashlib.sha256(self._modulus.encode()).digest()[:20]
        self._kid = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        self._verified: dict[str, dict[str, Any]] = {}

    @property
    def issuer(self) -> str:
        # Tokens for first-party resources are v1 tokens even from the v2 endpoint.
        return f"https://sts.windows.net/{self._tenant_id}/"

    def key_set(self) -> dict[str, Any]:
        key = {
            "kty": "RSA",
            "use": "sig",
            "alg": "RS256",
            "kid": self._kid,
            "x5t": self._kid,
            "n": self._modulus,
            "e": self._exponent,
        }
        return {"keys": [key]}

    def sign(self, claims: dict[str, Any]) -> str:
        now = int(self._clock.time())
        standard = {
            "iss": self.issuer,
            "iat": now,
            "nbf": now,
            "exp": now + LIFETIME,
            "idp": self.issuer,
            "idtyp": "app",
            "tid": self._tenant_id,
            "ver": "1.0",
        }
        headers = {"kid": self._kid, "x5t": self._kid}
        return jwt.encode(standard | claims, self._key, algorithm="RS256", headers=headers)

    def caller(self, authorization: str) -> Caller:
        """Who holds the token of an Authorization header; 401 when it is not good."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise _refused("Access token is empty.")
        claims = self._claims(token.strip())
        now = self._clock.time()
        if claims["exp"] < now or claims["nbf"] > now + 300:
            raise _refused("Access token has expired or is not yet valid.", challenge=True)
        if claims["aud"] not in GRAPH_AUDIENCES:
            raise _refused("Access token validation failure. Invalid audience.")
        return Caller(
            app_id=claims["appid"],
            object_id=claims["oid"],
            roles=frozenset(claims.get("roles", ())),
            directory_roles=frozenset(claims.get("wids", ())),
        )

    def _claims(self, token: str) -> dict[str, Any]:
        known = self._verified.get(token)
        if known is not None:
            return known
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                self._key.public_key(),
                algorithms=["RS256"],
                issuer=self.issuer,
                # Time is the emulated clock's, and the audience decides on the message.
                options={
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                    "verify_aud": False,
                },
            )
        except jwt.InvalidTokenError as wrong:
            raise _refused("Access token validation failure. Invalid signature.") from wrong
        if len(self._verified) > 10_000:
            self._verified.clear()
        self._verified[token] = claims
        return claims


def _refused(message: str, *, challenge: bool = False) -> GraphError:
    header = 'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize"'
    if challenge:
        # A client that follows real time cannot know that the emulated clock has jumped. Graph's
        # claims challenge (continuous access evaluation) makes it fetch a new token.
        claims = json.dumps({"access_token": {"nbf": {"essential": True, "value": "0"}}})
        encoded = base64.b64encode(claims.encode()).decode()
        header += f', error="insufficient_claims", claims="{encoded}"'
    return GraphError(
        401, "InvalidAuthenticationToken", message, headers={"WWW-Authenticate": header}
    )
