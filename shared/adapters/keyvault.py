"""The vault that serves secrets to products. Source: Key Vault REST API, "Set Secret" ff."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from shared.adapters.identity import sign_in_error
from shared.errors import NeedsHuman, TryLater
from shared.model.credential import Masked, NewSecret, StoredSecret
from shared.model.shape import Shape
from shared.settings import Settings

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

LOOPBACK = {"127.0.0.1", "localhost", "::1"}
CONTENT_TYPES = {
    Shape.CLIENT_SECRET: "application/vnd.keyturn.client-secret",
    Shape.PEM: "application/x-pem-file",
    Shape.PFX: "application/x-pkcs12",
}
"""Those of certificates are the ones that Key Vault gives its own."""
SHAPES = {name: shape for shape, name in CONTENT_TYPES.items()}
ROLE = "Key Vault Secrets Officer"
DELETED = "ObjectIsDeletedButRecoverable"
RECOVERING = "ObjectIsBeingRecovered"

PATIENCE = 10.0  # the longest wait that an answer may ask for without leaving the step


class KeyVault:
    """Implements ``ports.Vault``."""

    def __init__(self, settings: Settings, credential: "AsyncTokenCredential") -> None:
        from azure.keyvault.secrets.aio import SecretClient

        from shared.adapters.traced_transport import TracedTransport

        self._url = settings.vault_url
        self._client = SecretClient(
            settings.vault_url,
            credential,
            # The check compares the vault's name with Microsoft's domains; a loopback has none.
            verify_challenge_resource=urlsplit(settings.vault_url).hostname not in LOOPBACK,
            retry_policy=_short_retries(settings.pace),
            transport=TracedTransport("vault"),
        )

    async def current(self, name: str) -> StoredSecret | None:
        found = await self._read(name)
        return None if found is None else _stored(found.properties)

    async def reveal(self, stored: StoredSecret) -> NewSecret | None:
        found = await self._read(stored.name, stored.version)
        if found is None or not found.value:
            return None
        return NewSecret(
            key_id=stored.key_id,
            ends=stored.expires or datetime.max.replace(tzinfo=UTC),
            hint=stored.hint,
            value=found.value,
            # A person who puts one back may not say what it is; it is no client secret.
            shape=Shape.PEM if found.value.startswith("-----BEGIN") else stored.shape,
            thumbprint=stored.thumbprint,
        )

    async def put(self, name: str, secret: NewSecret, tags: dict[str, str]) -> StoredSecret:
        marks = {**tags, "keyId": secret.key_id, "hint": secret.hint}
        if secret.thumbprint:
            marks["thumbprint"] = secret.thumbprint
        return await self._set(name, secret, marks, secret.ends, CONTENT_TYPES[secret.shape])

    async def keep(
        self, name: str, value: Masked, tags: dict[str, str], expires: datetime | None
    ) -> StoredSecret:
        content_type = "text/plain"
        if isinstance(value, NewSecret) and value.shape.certificate:
            content_type = CONTENT_TYPES[value.shape]
        return await self._set(name, value, tags, expires, content_type)

    async def _set(
        self,
        name: str,
        value: Masked,
        tags: dict[str, str],
        expires: datetime | None,
        content_type: str,
    ) -> StoredSecret:
        from azure.core.exceptions import HttpResponseError

        async def write() -> Any:
            return await self._client.set_secret(
                name,
                value.reveal(),
                expires_on=expires,
                content_type=content_type,
                tags=tags,
            )

        with vault_errors(f"storing {name}"):
            try:
                made = await write()
            except HttpResponseError as error:
                await self._recover_if_deleted(name, error)
                made = await write()
        back = await self.current(name)
        if back is None or back.version != made.properties.version:
            raise TryLater("VAULT_RACE", f"another version of {name} was written meanwhile")
        return back

    async def retag(self, stored: StoredSecret, tags: dict[str, str]) -> None:
        with vault_errors(f"tagging {stored.name}"):
            await self._client.update_secret_properties(stored.name, stored.version, tags=tags)

    async def disable(self, stored: StoredSecret) -> None:
        with vault_errors(f"disabling a version of {stored.name}"):
            await self._client.update_secret_properties(stored.name, stored.version, enabled=False)

    async def all_versions(self, name: str) -> list[StoredSecret]:
        from azure.core.exceptions import ResourceNotFoundError

        with vault_errors(f"listing the versions of {name}"):
            try:
                found = [
                    _stored(version)
                    async for version in self._client.list_properties_of_secret_versions(name)
                ]
            except ResourceNotFoundError:
                return []
        return sorted(found, key=lambda version: version.created)

    async def remove(self, name: str) -> None:
        from azure.core.exceptions import ResourceNotFoundError

        with vault_errors(f"deleting {name}"):
            try:
                # The name is blocked at once. Until the deletion is through the SDK only watches,
                # and whoever reads back need not wait for that.
                async with asyncio.timeout(PATIENCE):
                    await self._client.delete_secret(name)
            except (ResourceNotFoundError, TimeoutError):
                return

    def reference(self, name: str, version: str) -> str:
        return f"{self._url}/secrets/{name}/{version}"

    async def close(self) -> None:
        await self._client.close()

    async def _read(self, name: str, version: str | None = None) -> Any:
        from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

        with vault_errors(f"reading {name}"):
            try:
                return await self._client.get_secret(name, version)
            except ResourceNotFoundError:
                return None
            except HttpResponseError as error:
                if "SecretDisabled" in _inner(error):
                    return None
                raise

    async def _recover_if_deleted(self, name: str, error: Exception) -> None:
        """A deleted name cannot be written: bring it back first. Never purge.

        Raises *error* itself when it is another one, `TryLater` when it takes long.
        """
        if _inner(error) != DELETED:
            raise error
        try:
            async with asyncio.timeout(PATIENCE):
                await self._client.recover_deleted_secret(name)  # waits until it is there
        except TimeoutError:
            raise TryLater(
                "VAULT_RECOVERING", f"{name} was deleted; recovering it first"
            ) from error


@contextmanager
def vault_errors(doing: str) -> Iterator[None]:
    """Raise `TryLater` or `NeedsHuman` instead of the SDK's errors."""
    from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError

    try:
        yield
    except ClientAuthenticationError as error:
        raise sign_in_error(doing, error) from error
    except HttpResponseError as error:
        status, inner = error.status_code or 0, _inner(error)
        why = f"{doing}: the vault answered HTTP {status} {inner}".rstrip() + _trace(error)
        if status == 403:
            # A role that was just assigned takes minutes to work.
            needs = f"{why}; the automation's identity needs the role {ROLE} there"
            raise TryLater(
                "VAULT_FORBIDDEN", needs, after=timedelta(seconds=30), limit=timedelta(minutes=10)
            ) from error
        if inner == RECOVERING or status in (0, 408, 409, 429) or status >= 500:
            raise TryLater("VAULT_UNAVAILABLE", why) from error
        raise NeedsHuman(
            "VAULT_REFUSED", why, "Correct what the vault names, then send the request again."
        ) from error
    except AzureError as error:
        raise TryLater("VAULT_UNREACHABLE", f"{doing}: {type(error).__name__}") from error


def _short_retries(pace: float) -> Any:
    """The SDK's retries, without its sleeping as long as any answer asks for."""
    from azure.core.pipeline.policies import AsyncRetryPolicy

    class ShortRetries(AsyncRetryPolicy[Any, Any]):
        def is_retry(self, settings: dict[str, Any], response: Any) -> bool:
            wait = self.get_retry_after(response) or 0
            return wait <= PATIENCE and bool(super().is_retry(settings, response))

    return ShortRetries(retry_total=2, retry_backoff_factor=pace, retry_backoff_max=PATIENCE)


def _inner(error: Exception) -> str:
    main = getattr(error, "error", None)
    inner = getattr(main, "innererror", None) or {}
    return str(inner.get("code", "") or getattr(main, "code", "") or "")


def _trace(error: Any) -> str:
    """The id by which Microsoft's support finds the request."""
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    request = headers.get("x-ms-request-id")
    return f" (request-id {request})" if request else ""


def _stored(properties: Any) -> StoredSecret:
    tags = properties.tags or {}
    return StoredSecret(
        name=properties.name,
        version=properties.version,
        key_id=tags.get("keyId", ""),
        operation=tags.get("operation", ""),
        created=properties.created_on,
        expires=properties.expires_on,
        enabled=bool(properties.enabled),
        hint=tags.get("hint", ""),
        previous_key_id=tags.get("previousKeyId", ""),
        verified=tags.get("verified") == "true",
        shape=SHAPES.get(properties.content_type or "", Shape.CLIENT_SECRET),
        thumbprint=tags.get("thumbprint", ""),
        tags=dict(tags),
    )
