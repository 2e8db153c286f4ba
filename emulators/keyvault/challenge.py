"""Authentication by challenge: every request without an accepted token is told where to get one."""

import base64
import json

from emulators.keyvault.errors import Refusal
from emulators.keyvault.settings import Settings
from emulators.keyvault.tokens import (
    AUDIENCE,
    Caller,
    InvalidTokenError,
    IssuerUnreachableError,
    StaleTokenError,
    Tokens,
)

MISSING = "AKV10000: Request is missing a Bearer or PoP token."


class Gate:
    """Lets requests with an accepted token through and answers all others 401."""

    def __init__(self, settings: Settings, tokens: Tokens, url: str) -> None:
        self._authority = (settings.authority or url).rstrip("/")
        self._tenant = settings.tenant
        self._clock = settings.clock
        self._tokens = tokens

    async def caller(self, authorization: str) -> Caller:
        """Answer who calls; *authorization* is the header's text."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise self.refusal(MISSING)
        try:
            return await self._tokens.caller(token.strip())
        except StaleTokenError as error:
            raise self.refusal(str(error), claims=self._newer()) from error
        except InvalidTokenError as error:
            raise self.refusal(str(error)) from error
        except IssuerUnreachableError as error:
            raise Refusal(503, "ServiceUnavailable", str(error)) from error

    def refusal(
        self, message: str, tenant: str | None = None, claims: str | None = None
    ) -> Refusal:
        """Challenge as the service words it."""
        challenge = (
            f'Bearer authorization="{self._authority}/{tenant or self._tenant}", '
            f'resource="{AUDIENCE}"'
        )
        if claims is not None:
            challenge += f', error="insufficient_claims", claims="{claims}"'
        return Refusal(401, "Unauthorized", message, headers={"WWW-Authenticate": challenge})

    def _newer(self) -> str:
        """Claims that make a client pass over its cached token.

        The client judges a token by the machine's clock, the vault by the emulated one, and only
        the vault knows that the authority was restarted with a new key. After either, nothing but
        a claims challenge (continuous access evaluation) makes azure-identity ask for a new token.
        """
        wanted = {"nbf": {"essential": True, "value": str(int(self._clock.time()))}}
        return base64.b64encode(json.dumps({"access_token": wanted}).encode()).decode()
