"""Client assertions: tokens signed with a certificate that the application has registered.

Source: Microsoft identity platform, "Certificate credentials".
"""

import base64
import binascii
import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import jwt
from cryptography import x509

from emulators.graph import sts_errors
from emulators.graph.state import Key


def check_assertion(
    keys: Iterable[Key], assertion: str, app_id: str, tenants: Iterable[str], now: datetime
) -> None:
    """Refuse an assertion that no registered and unexpired certificate has signed.

    *tenants* are the names by which its audience may call this one, *now* the emulated time.
    """
    try:
        header = jwt.get_unverified_header(assertion)
    except jwt.InvalidTokenError as wrong:
        raise sts_errors.unregistered_certificate("", app_id) from wrong
    named = _thumbprint(header)
    key = next((key for key in keys if named in _thumbprints(key)), None)
    if key is None:
        raise sts_errors.unregistered_certificate(named, app_id)
    claims = _claims(key, assertion, app_id, named)
    start, end = (datetime.fromisoformat(key.body[n]) for n in ("startDateTime", "endDateTime"))
    if not start <= now < end:
        raise sts_errors.expired_certificate(named, start, end, app_id)
    if {claims.get("iss"), claims.get("sub")} != {app_id}:
        raise sts_errors.foreign_assertion()
    if not any(str(claims.get("aud")).endswith(f"/{name}/oauth2/v2.0/token") for name in tenants):
        raise sts_errors.wrong_audience()
    _check_time(claims, now)


def _thumbprint(header: dict[str, Any]) -> str:
    """The certificate that the client says it has used, in hexadecimal."""
    named = str(header.get("x5t#S256") or header.get("x5t") or "")
    try:
        return base64.urlsafe_b64decode(named + "==").hex().upper()
    except (binascii.Error, ValueError):
        return str(header.get("kid") or "").upper()


def _thumbprints(key: Key) -> set[str]:
    raw = base64.b64decode(key.body["key"])
    # "x5t" is SHA-1 by its standard.
    digests = (hashlib.sha256(raw), hashlib.sha1(raw, usedforsecurity=False))
    return {digest.hexdigest().upper() for digest in digests}


def _claims(key: Key, assertion: str, app_id: str, named: str) -> dict[str, Any]:
    certificate = x509.load_der_x509_certificate(base64.b64decode(key.body["key"]))
    # Each claim has a refusal of its own.
    unchecked = ("verify_aud", "verify_exp", "verify_nbf", "verify_iat", "verify_iss")
    try:
        found: dict[str, Any] = jwt.decode(
            assertion,
            certificate.public_key(),  # type: ignore[arg-type]  # RSA is all Entra takes
            algorithms=["RS256", "PS256"],
            options=dict.fromkeys(unchecked, False),  # type: ignore[arg-type]  # names are known
        )
    except jwt.InvalidTokenError as wrong:
        raise sts_errors.wrong_signature(named, app_id) from wrong
    return found


def _check_time(claims: dict[str, Any], now: datetime) -> None:
    """Some clients live on the emulated clock, as the functions do, and others on real time."""
    try:
        first, last = (datetime.fromtimestamp(claims.get(n) or 0, UTC) for n in ("nbf", "exp"))
    except (TypeError, ValueError, OverflowError) as wrong:
        raise sts_errors.assertion_out_of_time(now, now, now) from wrong
    if not any(first <= moment < last for moment in (now, datetime.now(UTC))):
        raise sts_errors.assertion_out_of_time(now, first, last)
