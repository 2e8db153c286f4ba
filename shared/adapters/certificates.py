"""Key pairs with self-signed certificates, and what is signed with them.

Source: Microsoft identity platform, "Create a self-signed public certificate to authenticate your
application", "Certificate credentials" (the form of an assertion).
"""

import base64
import hashlib
import uuid
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    pkcs12,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from shared.model.credential import NewSecret
from shared.model.shape import Shape

BITS = 2048  # what Microsoft's own instructions make, and every product can read
SKEW = timedelta(minutes=5)
"""Clocks differ: what is valid from now on may not be valid yet where it is checked."""
LONGEST_SUBJECT = 64  # of a common name, RFC 5280
ASSERTED = timedelta(minutes=10)  # how long an assertion is good for


class Made(NamedTuple):
    """A new certificate: what the directory gets, and what the vault keeps."""

    public: bytes  # DER
    thumbprint: str
    value: str  # with the private key

    def __repr__(self) -> str:
        return f"Made(thumbprint={self.thumbprint!r}, value=***)"


def make(subject: str, starts: datetime, ends: datetime, shape: Shape) -> Made:
    """A key pair whose certificate names *subject*. It takes long: not for the event loop."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=BITS)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject[:LONGEST_SUBJECT])])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(starts - SKEW)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_signing_only(), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    public = certificate.public_bytes(Encoding.DER)
    return Made(public, thumbprint(public), _written(key, certificate, subject, shape))


def thumbprint(public: bytes) -> str:
    """As the portal shows it. It names a certificate and protects nothing."""
    return hashlib.sha1(public, usedforsecurity=False).hexdigest().upper()


def readable(secret: NewSecret) -> bytes:
    """The certificate with its key as azure-identity takes it."""
    value = secret.reveal()
    return base64.b64decode(value) if secret.shape is Shape.PFX else value.encode()


def assertion(secret: NewSecret, client_id: str, audience: str, now: datetime) -> str:
    """A token of the product's own making, which proves to *audience* that it has the key."""
    key, certificate = _loaded(secret)
    digest = certificate.fingerprint(hashes.SHA256())
    header = {"alg": "PS256", "typ": "JWT", "x5t#S256": _text(digest)}
    claims = {
        "aud": audience,
        "iss": client_id,
        "sub": client_id,
        "jti": str(uuid.uuid4()),
        "nbf": int((now - SKEW).timestamp()),
        "exp": int((now + ASSERTED).timestamp()),
    }
    signed = ".".join(_text(msgspec.json.encode(part)) for part in (header, claims))
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
    return f"{signed}.{_text(key.sign(signed.encode(), pss, hashes.SHA256()))}"


def _written(
    key: rsa.RSAPrivateKey, certificate: x509.Certificate, subject: str, shape: Shape
) -> str:
    if shape is Shape.PFX:
        whole = pkcs12.serialize_key_and_certificates(
            subject.encode(), key, certificate, None, NoEncryption()
        )
        return base64.b64encode(whole).decode()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return (private + certificate.public_bytes(Encoding.PEM)).decode()


def _loaded(secret: NewSecret) -> tuple[rsa.RSAPrivateKey, x509.Certificate]:
    """Raises ValueError for what holds no key with its certificate."""
    raw = readable(secret)
    if secret.shape is Shape.PFX:
        key, certificate, _ = pkcs12.load_key_and_certificates(raw, None)
    else:
        key, certificate = load_pem_private_key(raw, None), x509.load_pem_x509_certificate(raw)
    if not isinstance(key, rsa.RSAPrivateKey) or certificate is None:
        raise ValueError("no RSA key with its certificate")
    return key, certificate


def _signing_only() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
