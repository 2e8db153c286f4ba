"""Reads the client principal: what App Service Authentication says of the caller.

Source: "Work with user identities in Azure App Service authentication", *Decoding the client
principal header*. The platform validates the bearer token and drops these headers from what
callers send, so they are believed only where it is switched on (KEYTURN_PLATFORM_AUTH).
"""

import base64
import binascii
from collections.abc import Mapping

import msgspec

from functions.http.answers import Fault, fault
from shared.model.caller import KEY_HOLDER, Caller, Role
from shared.requests.text import shown
from shared.settings import platform_auth

HEADER = "x-ms-client-principal"

MAX_CALLER = 256
MAX_ID = 64

OBJECT_ID = ("http://schemas.microsoft.com/identity/claims/objectidentifier", "oid")
NAMES = (
    "preferred_username",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn",
    "upn",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name",
    "name",
)
APPLICATION = ("azp", "appid")
ROLES = "roles"


class _Claim(msgspec.Struct, frozen=True):
    typ: str
    val: str = ""


class _Principal(msgspec.Struct, frozen=True):
    auth_typ: str = ""
    claims: tuple[_Claim, ...] = ()
    role_typ: str = ROLES


def caller(headers: Mapping[str, str]) -> Caller:
    """Who calls; raises `Fault` 401 where the platform should have said so and has not."""
    if not platform_auth():
        return KEY_HOLDER
    principal = _decoded(headers.get(HEADER, ""))
    claims: dict[str, str] = {}
    for claim in principal.claims:
        claims.setdefault(claim.typ, claim.val)
    known = {role.value: role for role in Role}
    given = {c.val for c in principal.claims if c.typ in (ROLES, principal.role_typ)}
    id_ = _first(claims, OBJECT_ID)
    application = _first(claims, APPLICATION)
    name = _first(claims, NAMES) or (f"application {application}" if application else "")
    if principal.auth_typ != "aad" or not id_:
        raise _unauthenticated()
    return Caller(
        name=shown(name.strip(), MAX_CALLER) or id_,
        id=shown(id_, MAX_ID),
        roles=frozenset(known[value] for value in given if value in known),
    )


def _decoded(header: str) -> _Principal:
    try:
        return msgspec.json.decode(base64.b64decode(header, validate=True), type=_Principal)
    except (binascii.Error, ValueError, msgspec.DecodeError, RecursionError):
        raise _unauthenticated() from None


def _first(claims: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((claims[name] for name in names if claims.get(name)), "")


def _unauthenticated() -> Fault:
    return fault(
        401,
        "UNAUTHENTICATED",
        "the platform did not say who calls",
        "sign in with Microsoft Entra ID for this API and send the access token as bearer token",
    )
