"""Client assertions: tokens signed with a certificate that the application has registered."""

import base64
import hashlib
from datetime import datetime
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from emulators.graph import sts_errors


def check_assertion(keys: list[dict[str, Any]], assertion: str, app_id: str, now: datetime) -> None:
    """Refuse an assertion that no registered and unexpired certificate has signed."""
    try:
        header = jwt.get_unverified_header(assertion)
    except jwt.InvalidTokenError as wrong:
        raise sts_errors.unregistered_certificate("") from wrong
    named = str(header.get("x5t#S256") or header.get("x5t") or header.get("kid") or "")
    for key in keys:
        certificate = x509.load_der_x509_certificate(base64.b64decode(key["key"]))
        valid = datetime.fromisoformat(key["endDateTime"]) > now
        if valid and _signed_by(certificate, assertion, app_id, named):
            return
    raise sts_errors.unregistered_certificate(named)


def _signed_by(certificate: x509.Certificate, assertion: str, app_id: str, named: str) -> bool:
    der = certificate.public_bytes(Encoding.DER)
    # "x5t" is SHA-1 by its standard.
    digests = (hashlib.sha256(der).digest(), hashlib.sha1(der, usedforsecurity=False).digest())
    prints = {base64.urlsafe_b64encode(digest).rstrip(b"=").decode() for digest in digests}
    if named.rstrip("=") not in prints:
        return False
    try:
        claims = jwt.decode(
            assertion,
            certificate.public_key(),  # type: ignore[arg-type]  # RSA is all Entra takes
            algorithms=["RS256", "PS256"],
            issuer=app_id,
            # Assertions are made on real time, the tenant lives on the emulated clock.
            options={"verify_aud": False, "verify_exp": False, "verify_nbf": False},
        )
    except jwt.InvalidTokenError:
        return False
    return claims.get("sub") == app_id and "/token" in str(claims.get("aud"))
