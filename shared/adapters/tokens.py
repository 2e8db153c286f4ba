"""The token endpoint and Graph as the connected product sees them.

Every attempt uses a new credential object and a new connection: a credential caches its token,
and a kept connection stays on one front end, so repeating on either proves nothing.
"""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import TYPE_CHECKING

from shared.adapters.httpx_spans import sent
from shared.adapters.identity import (
    aadsts,
    claims,
    no_certificate,
    passing,
    product_credential,
)
from shared.adapters.token_answers import EXPIRED, issued, not_yet, refused
from shared.adapters.token_reads import READS
from shared.errors import NeedsHuman, TryLater
from shared.model.credential import IssuedToken, NewSecret, ReadFacts, TokenFacts
from shared.model.directory import GRAPH_APP_ID
from shared.settings import Settings

if TYPE_CHECKING:
    import ssl

    import httpx

METADATA = "/v2.0/.well-known/openid-configuration"
TIMEOUT = 8.0

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class EntraTokens:
    """Implements ``ports.Tokens``."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def authority_time(self) -> datetime:
        """What time it is for the authority, which dates every token: from an answer's header."""
        import httpx

        url = f"{self._settings.authority}/{self._settings.tenant_id}{METADATA}"
        try:
            async with httpx.AsyncClient(timeout=TIMEOUT) as http:
                answer = await http.get(url)
            return parsedate_to_datetime(answer.headers["date"])
        except (httpx.HTTPError, KeyError, ValueError) as error:
            raise TryLater("TOKEN_UNREACHABLE", f"asking the authority: {error!r}") from error

    async def obtain(
        self, client_id: str, secret: NewSecret, api: str = GRAPH_APP_ID
    ) -> TokenFacts | None:
        token = await self._token(client_id, secret, api)
        if token is None:
            return None
        found = claims(token)
        return TokenFacts(
            roles=frozenset(found.get("roles", ())),
            app_id=str(found.get("appid", "")),
            tenant_id=str(found.get("tid", "")),
        )

    async def read_as(self, client_id: str, secret: NewSecret, what: str) -> ReadFacts | None:
        import httpx

        path = READS.get(what)
        if path is None:
            return None
        token = await self._token(client_id, secret, GRAPH_APP_ID)
        if token is None:
            return ReadFacts(allowed=False, signed_in=False)
        headers = {"Authorization": f"Bearer {token}"}
        try:
            async with httpx.AsyncClient(timeout=30, verify=_trust()) as http:
                url = self._settings.graph + path
                answer = await sent(http, "graph", "GET", url, headers=headers)
        except httpx.HTTPError as error:
            raise TryLater("GRAPH_UNREACHABLE", f"trying {what}: {error!r}") from error
        if answer.status_code == 429 or answer.status_code >= 500:
            raise TryLater("GRAPH_UNAVAILABLE", f"trying {what}: HTTP {answer.status_code}")
        if _proves_nothing(answer):
            return None
        return ReadFacts(
            allowed=answer.status_code == 200,
            roles=frozenset(claims(token).get("roles", ())),
            said=_said(answer),
        )

    async def issue(self, client_id: str, secret: NewSecret, api: str) -> IssuedToken | None:
        """Source: Microsoft identity platform, "OAuth 2.0 client credentials flow"."""
        import httpx

        settings = self._settings
        url = f"{settings.authority}/{settings.tenant_id}/oauth2/v2.0/token"
        form = {
            "grant_type": "client_credentials",
            "client_id": client_id,
            "scope": settings.graph_scope if api == GRAPH_APP_ID else f"{api}/.default",
            **_proof(client_id, secret, url),
        }
        try:
            async with httpx.AsyncClient(timeout=30, verify=_trust()) as http:
                answer = await sent(http, "sign-in", "POST", url, data=form)
        except httpx.HTTPError as error:
            # Not the error's text: it could quote what was sent.
            why = f"asking for a token: {type(error).__name__}"
            raise TryLater("TOKEN_UNREACHABLE", why) from None
        if answer.status_code == 200:
            return issued(answer.content, form["scope"])
        refused(answer.status_code, answer.text, client_id, form["scope"])
        return None

    async def _token(self, client_id: str, secret: NewSecret, api: str) -> str | None:
        from azure.core.exceptions import AzureError, ClientAuthenticationError

        try:
            async with product_credential(self._settings, client_id, secret) as credential:
                answer = await credential.get_token(self._scope(api))
        except ClientAuthenticationError as error:
            code = aadsts(error)
            if not_yet(error):
                return None
            if passing(error):
                raise TryLater("TOKEN_UNREACHABLE", f"asking for a token: {code}") from error
            raise refusal(client_id, code, error) from error
        except AzureError as error:
            raise TryLater(
                "TOKEN_UNREACHABLE", f"asking for a token: {type(error).__name__}"
            ) from (error)
        return answer.token

    def _scope(self, api: str) -> str:
        """An API is named by its application id, which every cloud shares; but for Graph."""
        return self._settings.graph_scope if api == GRAPH_APP_ID else f"{api}/.default"


def _proof(client_id: str, secret: NewSecret, audience: str) -> dict[str, str]:
    """What proves to the token endpoint that the secret, or the certificate's key, is there."""
    if not secret.shape.certificate:
        return {"client_secret": secret.reveal()}
    from shared.adapters.certificates import assertion

    try:
        signed = assertion(secret, client_id, audience, datetime.now(UTC))
    except ValueError:
        raise no_certificate(client_id) from None
    return {"client_assertion_type": ASSERTION, "client_assertion": signed}


REFUSALS = {
    "AADSTS7000222": (
        "SECRET_EXPIRED",
        "The secret has expired",
        (
            "Rotate the connection (POST /api/connections/{name}/rotation), then hand the new "
            "secret over."
        ),
    ),
    "AADSTS7000112": (
        "SP_DISABLED",
        "The service principal is disabled",
        "Enable it under Enterprise applications if this was not on purpose, then verify again.",
    ),
    "AADSTS500011": (
        "RESOURCE_MISSING",
        "The API has no service principal in this tenant",
        "Have an administrator add the API to the tenant, then send the request again.",
    ),
    "AADSTS53003": (
        "CA_BLOCKS_LOGIN",
        "A Conditional Access policy for workload identities blocks the sign-in",
        "Have this application excluded from the policy; Keyturn never changes one.",
    ),
}
"""Answers of the token endpoint that are final, and what they mean."""


def refusal(client_id: str, code: str, error: Exception) -> NeedsHuman:
    known = REFUSALS.get("AADSTS7000222" if EXPIRED in str(error) else code)
    if known is not None:
        name, why, remedy = known
        return NeedsHuman(name, f"{why}: {client_id} gets no token ({code}).", remedy)
    return NeedsHuman(
        "TOKEN_REFUSED",
        f"The token endpoint refuses the new secret of {client_id}: {code or 'no code'}.",
        "Look the code up in Microsoft's list of AADSTS errors; the old secret, if there "
        "is one, is still published.",
    )


UNLICENSED = "NonPremiumTenant"
"""In the code of refusals for want of a licence. Source: Graph's answers for audit logs."""


def _proves_nothing(answer: "httpx.Response") -> bool:
    """Whether the tenant has no such thing, for example no SharePoint: no matter of permissions."""
    return answer.status_code in (400, 404) or UNLICENSED in answer.text


def _said(answer: "httpx.Response") -> str:
    """``HTTP 403 Authorization_RequestDenied: ...``; some of Graph's refusals say nothing."""
    try:
        error = answer.json().get("error") or {}
        told = f"{error.get('code') or ''}: {error.get('message') or ''}".strip(": ")
    except (ValueError, AttributeError):
        told = ""
    return f"HTTP {answer.status_code} {told}".rstrip()


@cache
def _trust() -> "ssl.SSLContext":
    """Read once: loading the machine's certificates takes longer than the call itself."""
    import httpx

    return httpx.create_ssl_context()
