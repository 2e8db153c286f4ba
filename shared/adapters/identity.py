"""The automation's own identity: a managed identity in Azure, a client secret elsewhere."""

from typing import TYPE_CHECKING

from shared.settings import Settings

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential


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
