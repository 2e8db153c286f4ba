"""Refusals of the vault, in the form in which the service words them."""

from typing import Any

import msgspec
from aiohttp import web

HEADERS = {
    "x-ms-keyvault-region": "westeurope",
    "x-ms-keyvault-service-version": "1.9.2500.1",
}
"""Response headers of every answer of the service."""


class Refusal(Exception):
    """An error answer; absent parts of the body are omitted, as the service does."""

    def __init__(  # one argument per part of the answer
        self,
        status: int,
        code: str,
        message: str,
        inner: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.inner = inner
        self.headers = headers or {}

    def response(self) -> web.Response:
        error: dict[str, Any] = {"code": self.code, "message": str(self)}
        if self.inner is not None:
            error["innererror"] = {"code": self.inner}
        return json_response({"error": error}, self.status, self.headers)


def json_response(
    body: object, status: int = 200, headers: dict[str, str] | None = None
) -> web.Response:
    """Answer *body* as JSON with the headers of the service."""
    return web.Response(
        body=msgspec.json.encode(body),
        status=status,
        content_type="application/json",
        charset="utf-8",
        headers={**HEADERS, **(headers or {})},
    )


def bad_parameter(message: str) -> Refusal:
    return Refusal(400, "BadParameter", message)


def secret_not_found(name: str) -> Refusal:
    """No such name or version."""
    text = f"A secret with (name/id) {name} was not found in this key vault."
    return Refusal(404, "SecretNotFound", text)


def deleted_but_recoverable(name: str) -> Refusal:
    text = (
        f"Secret {name} is currently in a deleted but recoverable state, and its name cannot be "
        "reused; in this state, the secret can only be recovered or purged."
    )
    return Refusal(409, "Conflict", text, "ObjectIsDeletedButRecoverable")


def being_deleted() -> Refusal:
    """Answer to recover and purge while the deletion runs, as recorded by clients' users."""
    return Refusal(409, "Conflict", "Secret is currently being deleted.", "ObjectIsBeingDeleted")


def being_recovered(name: str) -> Refusal:
    text = f"Secret {name} is currently being recovered and cannot be re-created; retry later."
    return Refusal(409, "Conflict", text, "ObjectIsBeingRecovered")


def secret_disabled(operation: str) -> Refusal:
    text = f"Operation {operation} is not allowed on a disabled secret."
    return Refusal(403, "Forbidden", text, "SecretDisabled")


def purge_protected() -> Refusal:
    text = (
        'Operation "purge" is not allowed because purge protection is enabled for this vault. '
        "Key Vault service will automatically purge it after the retention period has passed."
    )
    return Refusal(403, "Forbidden", text)
