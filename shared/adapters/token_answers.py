"""Answers of the token endpoint, read where its SDK would keep only the token.

Source: Microsoft identity platform, "OAuth 2.0 client credentials flow", "Microsoft Entra
authentication and authorization error codes".
"""

import msgspec

from shared.adapters.identity import PASSING, aadsts
from shared.errors import NeedsHuman, TryLater
from shared.model.credential import IssuedToken, TokenSecret

NOT_YET = {
    "AADSTS7000215": "secret",
    "AADSTS700027": "certificate",
    "AADSTS700016": "application",
    "AADSTS7000229": "principal",
}
"""Answers that a new secret or application gets until every node knows it."""

EXPIRED = "The key used is expired"
"""The token endpoint has one code for a certificate that it does not know and an expired one."""


def not_yet(error: Exception) -> bool:
    """Whether a refusal may only mean that not every node knows what is new."""
    return aadsts(error) in NOT_YET and EXPIRED not in str(error)


NO_SUCH_API = frozenset({"AADSTS500011", "AADSTS70011", "AADSTS1002012", "AADSTS650052"})
"""The tenant has no such resource, or the scope is not one of a resource."""


class TokenAnswer(msgspec.Struct, frozen=True):
    """A good answer, as it comes over the wire."""

    access_token: str
    token_type: str
    expires_in: int
    ext_expires_in: int = 0


def issued(content: bytes, scope: str) -> IssuedToken:
    try:
        answer = msgspec.json.decode(content, type=TokenAnswer, strict=False)
    except msgspec.DecodeError:
        raise TryLater("TOKEN_UNREACHABLE", "the token endpoint's answer is none") from None
    return IssuedToken(
        token=TokenSecret(answer.access_token),
        token_type=answer.token_type,
        expires_in=answer.expires_in,
        ext_expires_in=answer.ext_expires_in or answer.expires_in,
        scope=scope,
    )


def refused(status: int, text: str, client_id: str, scope: str) -> None:
    """None for a secret that is not known everywhere yet; raises for everything else."""
    code = aadsts(ValueError(text))
    if not_yet(ValueError(text)):
        return
    if status == 429 or status >= 500 or code in PASSING:
        raise TryLater("TOKEN_UNREACHABLE", f"asking for a token: HTTP {status} {code}".rstrip())
    if code in NO_SUCH_API:
        raise NeedsHuman(
            "SCOPE_UNKNOWN",
            f"The tenant has no API for the scope {scope} ({code}).",
            "Choose another scope, or have an administrator add the API's service principal to "
            "the tenant, then send the request again.",
        )
    raise NeedsHuman(
        "TOKEN_REFUSED",
        f"The token endpoint refuses {client_id} a token for {scope}: {code or f'HTTP {status}'}.",
        "Look the code up in Microsoft's list of AADSTS errors.",
    )
