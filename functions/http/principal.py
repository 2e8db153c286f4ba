"""Reads the client principal: what App Service Authentication says of the caller.

The platform validates the bearer token (signature, issuer, audience, times) and alone sets this
header: "External requests aren't allowed to set these headers, so they're present only if App
Service sets them" (Microsoft, "Work with user identities in Azure App Service authentication").
That holds only while authentication is switched on, which no request can show. Therefore the
header is believed only where the settings say so, and only for a token of this tenant for this
API (`Expected`); `python -m deploy doctor` tries the door from outside.
"""

import base64
import binascii
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import msgspec

from functions.http.answers import Fault, fault
from shared.model.caller import KEY_HOLDER, Caller, Role
from shared.requests.text import shown
from shared.settings import Expected, sign_in

HEADER = "x-ms-client-principal"

LONGEST = 32 * 1024
"""Characters of the header; the web server takes as many for all headers together."""

SKEW = timedelta(minutes=5)
"""Clocks may differ by so much, as the platform allows."""

MAX_CALLER = 256
MAX_ID = 64

OBJECT_ID = ("http://schemas.microsoft.com/identity/claims/objectidentifier", "oid")
TENANT_ID = ("http://schemas.microsoft.com/identity/claims/tenantid", "tid")
NAMES = (
    "preferred_username",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn",
    "upn",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name",
    "name",
)
APPLICATION = ("azp", "appid")
ROLES = ("roles", "http://schemas.microsoft.com/ws/2008/06/identity/claims/role")
"""Types of the claim with app roles. The header's own `role_typ` is not asked: should it name a
claim that people choose themselves, such as their name, they would choose their role."""


class _Claim(msgspec.Struct, frozen=True):
    typ: str
    val: str = ""


class _Principal(msgspec.Struct, frozen=True):
    auth_typ: str = ""
    claims: tuple[_Claim, ...] = ()


def caller(headers: Mapping[str, str], now: datetime | None = None) -> Caller:
    """Who calls; raises `Fault` 401 where the platform should have said so and has not."""
    expected = sign_in()
    if expected is None:
        return KEY_HOLDER
    principal = _decoded(headers.get(HEADER, ""))
    claims: dict[str, set[str]] = {}
    for claim in principal.claims:
        claims.setdefault(claim.typ, set()).add(claim.val)
    id_ = _only(claims, OBJECT_ID)
    if principal.auth_typ != "aad" or not id_:
        raise _unauthenticated("the platform did not say who calls")
    _check(claims, expected, now or datetime.now(UTC))
    application = _first(claims, APPLICATION)
    name = _first(claims, NAMES) or (f"application {application}" if application else "")
    known = {role.value: role for role in Role}
    given = {value for typ in ROLES for value in claims.get(typ, ())}
    return Caller(
        name=shown(name.strip(), MAX_CALLER) or id_,
        id=shown(id_, MAX_ID),
        roles=frozenset(known[value] for value in given if value in known),
    )


def _decoded(header: str) -> _Principal:
    if len(header) > LONGEST:
        raise _unauthenticated(
            f"the token has too many claims: more than {LONGEST} characters",
            "take groups and other optional claims out of the API's registration",
        )
    try:
        return msgspec.json.decode(base64.b64decode(header, validate=True), type=_Principal)
    except (binascii.Error, ValueError, msgspec.DecodeError, RecursionError):
        raise _unauthenticated("the platform did not say who calls") from None


def _check(claims: Mapping[str, set[str]], expected: Expected, now: datetime) -> None:
    """Raise `Fault` 401 unless the token is one of this tenant for this API, and not over."""
    if _only(claims, TENANT_ID).lower() != expected.tenant_id:
        raise _unauthenticated("the token is of another tenant")
    if _only(claims, ("iss",)) not in expected.issuers:
        raise _unauthenticated("the token has another issuer")
    if _only(claims, ("aud",)).lower() not in expected.audiences:
        raise _unauthenticated("the token is for another API")
    ends = _only(claims, ("exp",))
    seconds = int(ends) if ends.isascii() and ends.isdecimal() and len(ends) < 12 else 0
    if datetime.fromtimestamp(seconds, UTC) + SKEW < now:
        raise _unauthenticated("the token has expired")


def _only(claims: Mapping[str, set[str]], names: tuple[str, ...]) -> str:
    """The one value of a claim; empty where it has none, or where two contradict each other."""
    values = {value for name in names for value in claims.get(name, ())}
    return values.pop() if len(values) == 1 else ""


def _first(claims: Mapping[str, set[str]], names: tuple[str, ...]) -> str:
    return next((min(claims[name]) for name in names if any(claims.get(name, ()))), "")


def _unauthenticated(message: str, hint: str = "") -> Fault:
    sign = "sign in with Microsoft Entra ID for this API and send the access token as bearer token"
    return fault(401, "UNAUTHENTICATED", message, hint or sign)
