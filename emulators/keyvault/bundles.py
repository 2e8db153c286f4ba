"""The JSON forms of a secret. Absent keys are omitted, never null."""

from typing import Any

from emulators.keyvault.settings import Settings
from emulators.keyvault.state import DAY, Secret, Version


class Bundles:
    """Forms of secrets as seen under one base URL."""

    def __init__(self, settings: Settings, base: str) -> None:
        self._settings = settings
        self._base = base

    def properties(self, secret: Secret, version: Version) -> dict[str, Any]:
        """Everything but the value, with the version in the id."""
        return {
            "id": f"{self._base}/secrets/{secret.name}/{version.id}",
            **self._described(version),
        }

    def bundle(self, secret: Secret, version: Version) -> dict[str, Any]:
        """The only form with the value in it."""
        return {"value": version.value, **self.properties(secret, version)}

    def item(self, secret: Secret) -> dict[str, Any]:
        """Entry of a list: no version in the id."""
        return {"id": f"{self._base}/secrets/{secret.name}", **self._described(secret.current)}

    def deleted(self, secret: Secret) -> dict[str, Any]:
        return {**self.properties(secret, secret.current), **self._deletion(secret)}

    def deleted_item(self, secret: Secret) -> dict[str, Any]:
        return {**self.item(secret), **self._deletion(secret)}

    def _described(self, version: Version) -> dict[str, Any]:
        attributes = {
            "enabled": version.enabled,
            "nbf": version.nbf,
            "exp": version.exp,
            "created": version.created,
            "updated": version.updated,
            "recoveryLevel": self._settings.recovery_level,
            "recoverableDays": self._settings.retention_days,
        }
        described = {
            "contentType": version.content_type,
            "attributes": _present(attributes),
            "tags": version.tags,
        }
        return _present(described)

    def _deletion(self, secret: Secret) -> dict[str, Any]:
        date = int(secret.deleted or 0)
        return {
            "recoveryId": f"{self._base}/deletedsecrets/{secret.name}",
            "deletedDate": date,
            "scheduledPurgeDate": date + self._settings.retention_days * DAY,
        }


def _present(entries: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in entries.items() if value is not None}
