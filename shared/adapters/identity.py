"""The automation's own identity: a managed identity in Azure, a client secret elsewhere."""

import base64
import re
from typing import TYPE_CHECKING, Any

import msgspec

from shared.errors import NeedsHuman, StepError, TryLater
from shared.model.credential import NewSecret
from shared.settings import Settings

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.identity.aio import CertificateCredential, ClientSecretCredential

    ProductCredential = CertificateCredential | ClientSecretCredential

PASSING = frozenset({"AADSTS90033", "AADSTS90024"})
"""Codes by which the token endpoint says that it is unwell. Source: Entra's list of AADSTS."""


def own_credential(settings: Settings) -> "AsyncTokenCredential":
    """Environment variables of azure-identity win (AZURE_CLIENT_SECRET ...), else the identity
    that the platform gives. A private authority cannot be looked up at Microsoft's."""
    from azure.identity.aio import (
        ChainedTokenCredential,
        EnvironmentCredential,
        ManagedIdentityCredential,
    )

    return ChainedTokenCredential(
        EnvironmentCredential(
            authority=settings.authority,
            disable_instance_discovery=settings.private_authority,
        ),
        ManagedIdentityCredential(client_id=settings.client_id or None),
    )


def product_credential(
    settings: Settings, client_id: str, secret: NewSecret
) -> "ProductCredential":
    """A new one each time: it keeps its token, and its connection stays on one front end.

    Raises `NeedsHuman` SECRET_ID_NOT_VALUE for what should be a certificate and is none.
    """
    from azure.identity.aio import CertificateCredential, ClientSecretCredential

    from shared.adapters.traced_transport import TracedTransport

    # A retry would use the same connection, and sleep as long as told.
    common: dict[str, Any] = {
        "authority": settings.authority,
        "disable_instance_discovery": settings.private_authority,
        "retry_total": 0,
        "transport": TracedTransport("sign-in"),
    }
    if not secret.shape.certificate:
        return ClientSecretCredential(settings.tenant_id, client_id, secret.reveal(), **common)
    from shared.adapters.certificates import readable

    try:
        return CertificateCredential(
            settings.tenant_id, client_id, certificate_data=readable(secret), **common
        )
    except ValueError:
        raise no_certificate(client_id) from None  # its text could quote what it was given


def no_certificate(client_id: str) -> NeedsHuman:
    return NeedsHuman(
        "SECRET_ID_NOT_VALUE",
        f"What the vault serves {client_id} is no certificate with its private key.",
        "Nothing: a new one is made, verified and published with the next sweep of rotations.",
    )


def aadsts(error: Exception) -> str:
    """The token endpoint's own code, which azure-identity has in its message only."""
    match = re.search(r"AADSTS\d+", str(error))
    return match.group(0) if match else ""


def passing(error: Exception) -> bool:
    """Whether a refused sign-in is the token endpoint's bad moment, and says nothing of us."""
    # A chain of credentials keeps the message only, a single credential the answer as well.
    status = getattr(error, "status_code", None) or 0
    return (
        status == 429
        or status >= 500
        or aadsts(error) in PASSING
        or "(temporarily_unavailable)" in str(error)
    )


def sign_in_error(doing: str, error: Exception) -> StepError:
    """The automation itself cannot sign in."""
    code = aadsts(error)
    if passing(error):
        return TryLater("TOKEN_UNREACHABLE", f"{doing}: the token endpoint is unavailable {code}")
    return NeedsHuman(
        "AUTOMATION_IDENTITY",
        f"{doing}: the automation's identity cannot sign in: {code or type(error).__name__}",
        "Check the identity of this app: its client id, its secret if it uses one, and the tenant.",
    )


def claims(token: str) -> dict[str, Any]:
    """The payload of a token, unverified."""
    payload = token.split(".")[1]
    padded = payload + "=" * (-len(payload) % 4)
    found: dict[str, Any] = msgspec.json.decode(base64.urlsafe_b64decode(padded))
    return found
