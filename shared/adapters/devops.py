"""Organisations of Azure DevOps and their members.

Source: Azure DevOps REST API 7.1, "Service Principal Entitlements"; "Use service principals and
managed identities in Azure DevOps". There is no SDK for it that is maintained, hence plain HTTP.
"""

from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from shared.adapters.devops_bodies import RIGHT_ID, entitlement, level, project, refusal_of
from shared.adapters.devops_rows import Changed, Entitlement, Posted, Refusal, read
from shared.adapters.httpx_spans import sent
from shared.adapters.identity import sign_in_error
from shared.errors import NeedsHuman, TryLater
from shared.model.credential import Masked
from shared.model.membership import Member
from shared.settings import Settings

if TYPE_CHECKING:
    import ssl

    import httpx
    from azure.core.credentials_async import AsyncTokenCredential

RESOURCE = "499b84ac-1321-427f-aa17-267ca6975798"
"""Tokens are asked for by this id; Microsoft advises against the resource's URI."""

VERSION = {"api-version": "7.1-preview.1"}
PATCH = "application/json-patch+json"
TENANT = "X-VSS-ResourceTenant"


class DevOps:
    """Implements ``ports.Organisations``."""

    def __init__(self, settings: Settings, credential: "AsyncTokenCredential") -> None:
        self._core = settings.devops
        self._members = settings.devops_members
        self._credential = credential

    async def connected_tenant(self, org: str) -> str | None:
        """Told to callers without a token, too."""
        answer = await self._send("GET", f"{self._core}/{org}/_apis/connectionData", {})
        if answer.status_code == 404:
            return None
        told = answer.headers.get(TENANT, "").lower()
        return told if told and UUID(told).int else ""

    async def admits(self, org: str, token: Masked) -> bool:
        headers = {"Authorization": f"Bearer {token.reveal()}"}
        answer = await self._send("GET", f"{self._core}/{org}/_apis/connectionData", headers)
        # Without a right to it people are sent to a sign-in page; TF400813 comes with 401 or 403.
        return answer.status_code == 200

    async def member(self, org: str, member_id: str) -> Member | None:
        answer = await self._call("GET", org, f"/{member_id}")
        if answer.status_code == 404 or answer.content.strip() in (b"", b"null"):
            return None
        return read(answer.content, Entitlement).member()

    async def add(self, org: str, wanted: Member) -> Member:
        answer = await self._call("POST", org, "", entitlement(wanted))
        posted = read(answer.content, Posted)
        # A failure is answered with 200, too.
        refused = posted.refusal()
        if refused or posted.entitlement is None:
            raise refusal_of(wanted, refused or "the answer names no member")
        return posted.entitlement.member()

    async def change(self, org: str, known: Member, wanted: Member) -> Member:
        body: list[dict[str, Any]] = [
            {"op": "replace", "path": "/accessLevel", "value": level(wanted.licence)}
        ]
        body += [
            {"op": "add", "path": "/projectEntitlements", "value": project(id_)}
            for id_ in wanted.projects
            if id_ not in known.projects
        ]
        answer = await self._call("PATCH", org, f"/{known.id}", body, content_type=PATCH)
        changed = read(answer.content, Changed)
        refused = changed.refusal()
        if refused or changed.entitlement is None:
            raise refusal_of(wanted, refused or "the answer names no member")
        return changed.entitlement.member()

    async def remove(self, org: str, member_id: str) -> None:
        answer = await self._call("DELETE", org, f"/{member_id}")
        if answer.status_code not in (200, 204, 404):
            raise NeedsHuman(
                "DEVOPS_REFUSED",
                f"Azure DevOps keeps the member {member_id} of {org}: {_said(answer)}.",
                "Have a Project Collection Administrator remove it (Organization settings, Users).",
            )

    async def _call(
        self,
        method: str,
        org: str,
        path: str,
        body: Any = None,
        content_type: str = "application/json",
    ) -> "httpx.Response":
        url = f"{self._members}/{org}/_apis/serviceprincipalentitlements{path}"
        headers = {"Authorization": f"Bearer {await self._token()}", "Content-Type": content_type}
        content = None if body is None else msgspec.json.encode(body)
        answer = await self._send(method, url, headers, content, VERSION)
        if answer.status_code in (401, 403, 302, 203):
            raise NeedsHuman(
                "DEVOPS_NEEDS_PCA",
                f"The automation may not manage members of {org}: {_said(answer)}.",
                "Have a Project Collection Administrator add the service principal, or make the "
                "automation's identity one.",
            )
        if answer.status_code == 400:
            raise NeedsHuman("DEVOPS_WRONG_ID", f"Azure DevOps refuses: {_said(answer)}.", RIGHT_ID)
        return answer

    async def _send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        content: bytes | None = None,
        params: Mapping[str, str] | None = None,
    ) -> "httpx.Response":
        import httpx

        try:
            async with httpx.AsyncClient(timeout=30, verify=_trust()) as http:
                options = {"headers": dict(headers), "content": content, "params": params}
                answer = await sent(http, "devops", method, url, **options)
        except httpx.HTTPError as error:
            why = f"asking Azure DevOps: {type(error).__name__}"
            raise TryLater("DEVOPS_UNREACHABLE", why) from None
        if answer.status_code == 429 or answer.status_code >= 500:
            raise TryLater(
                "DEVOPS_UNAVAILABLE",
                f"Azure DevOps answered HTTP {answer.status_code}",
                after=timedelta(seconds=_seconds(answer.headers.get("Retry-After", ""))),
            )
        return answer

    async def _token(self) -> str:
        from azure.core.exceptions import AzureError, ClientAuthenticationError

        doing = "signing in to Azure DevOps"
        try:
            return (await self._credential.get_token(f"{RESOURCE}/.default")).token
        except ClientAuthenticationError as error:
            raise sign_in_error(doing, error) from error
        except AzureError as error:
            raise TryLater("TOKEN_UNREACHABLE", f"{doing}: {type(error).__name__}") from error


def _said(answer: "httpx.Response") -> str:
    try:
        told = read(answer.content, Refusal).message
    except TryLater:
        told = ""
    return f"HTTP {answer.status_code} {told}".strip().rstrip(".")


def _seconds(written: str) -> float:
    return float(written) if written.isdigit() else 30.0


@cache
def _trust() -> "ssl.SSLContext":
    """Read once: loading the machine's certificates takes longer than the call itself."""
    import httpx

    return httpx.create_ssl_context()
