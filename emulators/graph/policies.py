"""App management policies: what secrets and keys the tenant allows."""

import re
from datetime import timedelta
from typing import Any

from emulators.graph.errors import GraphError, bad_request
from emulators.graph.ids import Ids

DEFAULT_ID = "00000000-0000-0000-0000-000000000000"
_DURATION = re.compile(
    r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?"
)


def duration(text: str) -> timedelta:
    """An ISO 8601 duration; a year counts 365 days and a month 30."""
    match = _DURATION.fullmatch(text)
    if match is None or text.endswith(("P", "T")):
        raise bad_request(f"Invalid duration '{text}'.")
    years, months, weeks, days, hours, minutes, seconds = (int(g or 0) for g in match.groups())
    return timedelta(
        days=years * 365 + months * 30 + weeks * 7 + days,
        hours=hours,
        minutes=minutes,
        seconds=seconds,
    )


def _restriction(kind: str, lifetime: str | None, since: str | None) -> dict[str, Any]:
    return {
        "restrictionType": kind,
        "state": "enabled",
        "maxLifetime": lifetime,
        "restrictForAppsCreatedAfterDateTime": since or "0001-01-01T00:00:00Z",
    }


def _for_keys(wanted: dict[str, Any], since: str | None) -> list[dict[str, Any]]:
    lifetime = wanted.get("max_key_lifetime")
    if not lifetime:
        return []
    duration(lifetime)
    return [_restriction("asymmetricKeyLifetime", lifetime, since)]


class Policies:
    """The tenant's default policy and policies for single applications."""

    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self.default: dict[str, Any] = {
            "id": DEFAULT_ID,
            "displayName": "Default app management tenant policy",
            "description": "Default tenant policy that enforces app management restrictions "
            "on applications and service principals.",
            "isEnabled": False,
            "applicationRestrictions": {"passwordCredentials": [], "keyCredentials": []},
            "servicePrincipalRestrictions": {"passwordCredentials": [], "keyCredentials": []},
        }
        self.targeted: dict[str, dict[str, Any]] = {}
        self.applies_to: dict[str, list[str]] = {}
        self.max_secrets: int | None = None

    def configure(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """Admin interface: set the default policy, or one for the application `app`."""
        if "max_secrets" in wanted:
            self.max_secrets = wanted["max_secrets"]
        lifetime, since = wanted.get("max_lifetime"), wanted.get("created_after")
        items = []
        if wanted.get("passwords_forbidden"):
            items.append(_restriction("passwordAddition", None, since))
        if lifetime:
            duration(lifetime)
            items.append(_restriction("passwordLifetime", lifetime, since))
        restrictions = {"passwordCredentials": items, "keyCredentials": _for_keys(wanted, since)}
        application = wanted.get("app")
        if application is None:
            self.default["isEnabled"] = any(restrictions.values())
            self.default["applicationRestrictions"] = restrictions
            return self.default
        policy = {
            "id": self._ids.guid(),
            "displayName": wanted.get("display_name", "Application policy"),
            "description": None,
            "isEnabled": True,
            "restrictions": restrictions,
        }
        self.targeted[policy["id"]] = policy
        self.applies_to[policy["id"]] = [application]
        return policy

    def check_secret(self, application: dict[str, Any], lifetime: timedelta) -> None:
        """Refuse a secret as the policies in force do."""
        self._check(application, lifetime, "passwordCredentials")

    def check_key(self, application: dict[str, Any], lifetime: timedelta) -> None:
        """Refuse a certificate as the policies in force do."""
        self._check(application, lifetime, "keyCredentials")

    def _check(self, application: dict[str, Any], lifetime: timedelta, of: str) -> None:
        own = [p for p in self.targeted if application["id"] in self.applies_to[p]]
        if own:  # a targeted policy replaces the default one
            policy = self.targeted[own[0]]
            restrictions = policy["restrictions"][of]
        else:
            policy = self.default
            restrictions = policy["applicationRestrictions"][of]
        if not policy["isEnabled"]:
            return
        for item in restrictions:
            since = str(item["restrictForAppsCreatedAfterDateTime"])
            if item["state"] != "enabled" or str(application["createdDateTime"]) < since:
                continue
            if item["restrictionType"] == "passwordAddition":
                raise GraphError(
                    400,
                    "CredentialTypeNotAllowedAsPerAppPolicy",
                    f"Credential type not allowed as per assigned policy '{policy['id']}'.",
                )
            longest = duration(item["maxLifetime"]) if item["maxLifetime"] else None
            if longest is not None and lifetime > longest + timedelta(minutes=1):
                raise GraphError(
                    400,
                    "CredentialInvalidLifetimeAsPerAppPolicy",
                    "Credential lifetime exceeds the max value allowed as per assigned policy "
                    f"'{policy['id']}'.",
                    details=[
                        {
                            "code": "InvalidKeyEndDate",
                            "message": "Credential lifetime exceeds the max value allowed.",
                            "target": "EndDate",
                        }
                    ],
                )
