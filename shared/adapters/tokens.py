"""The token endpoint and Graph as the connected product sees them.

Every attempt uses a new credential object and a new connection: a credential caches its token,
and a kept connection stays on one front end, so repeating on either proves nothing.
"""

from functools import cache
from typing import TYPE_CHECKING

from shared.adapters.graph_directory import claims
from shared.adapters.identity import aadsts, passing
from shared.errors import NeedsHuman, TryLater
from shared.model.credential import NewSecret, TokenFacts
from shared.settings import Settings

if TYPE_CHECKING:
    import ssl

    from azure.identity.aio import ClientSecretCredential

NOT_YET = {"AADSTS7000215": "secret", "AADSTS700016": "application", "AADSTS7000229": "principal"}
"""Answers that a new secret or application gets until every node knows it."""

READS = {
    "User.Read.All": "/users?$top=1&$select=id",
    "Group.Read.All": "/groups?$top=1&$select=id",
    "RoleManagement.ReadWrite.Directory": "/roleManagement/directory/roleDefinitions?$select=id",
    "RoleManagement.Read.Directory": "/roleManagement/directory/roleDefinitions?$select=id",
}
"""A harmless read for each permission that has one."""


class EntraTokens:
    """Implements ``ports.Tokens``."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def obtain(self, client_id: str, secret: NewSecret) -> TokenFacts | None:
        token = await self._token(client_id, secret)
        if token is None:
            return None
        found = claims(token)
        return TokenFacts(
            roles=frozenset(found.get("roles", ())),
            app_id=str(found.get("appid", "")),
            tenant_id=str(found.get("tid", "")),
        )

    async def read_as(self, client_id: str, secret: NewSecret, permission: str) -> bool | None:
        import httpx

        path = READS.get(permission)
        if path is None:
            return None
        token = await self._token(client_id, secret)
        if token is None:
            return False
        headers = {"Authorization": f"Bearer {token}"}
        try:
            async with httpx.AsyncClient(timeout=30, verify=_trust()) as http:
                answer = await http.get(self._settings.graph + path, headers=headers)
        except httpx.HTTPError as error:
            raise TryLater("GRAPH_UNREACHABLE", f"trying {permission}: {error!r}") from error
        if answer.status_code == 429 or answer.status_code >= 500:
            raise TryLater("GRAPH_UNAVAILABLE", f"trying {permission}: HTTP {answer.status_code}")
        return answer.status_code == 200

    async def _token(self, client_id: str, secret: NewSecret) -> str | None:
        from azure.core.exceptions import AzureError, ClientAuthenticationError

        try:
            async with self._credential(client_id, secret) as credential:
                answer = await credential.get_token("https://graph.microsoft.com/.default")
        except ClientAuthenticationError as error:
            code = aadsts(error)
            if code in NOT_YET:
                return None
            if passing(error):
                raise TryLater("TOKEN_UNREACHABLE", f"asking for a token: {code}") from error
            raise NeedsHuman(
                "TOKEN_REFUSED",
                f"The token endpoint refuses the new secret of {client_id}: {code or 'no code'}.",
                "Look the code up in Microsoft's list of AADSTS errors; the old secret, if there "
                "is one, is still published.",
            ) from error
        except AzureError as error:
            raise TryLater(
                "TOKEN_UNREACHABLE", f"asking for a token: {type(error).__name__}"
            ) from (error)
        return answer.token

    def _credential(self, client_id: str, secret: NewSecret) -> "ClientSecretCredential":
        from azure.identity.aio import ClientSecretCredential

        return ClientSecretCredential(
            self._settings.tenant_id,
            client_id,
            secret.reveal(),
            authority=self._settings.authority,
            disable_instance_discovery=self._settings.private_authority,
            retry_total=0,  # a retry would use the same connection, and sleep as long as told
        )


@cache
def _trust() -> "ssl.SSLContext":
    """Read once: loading the machine's certificates takes longer than the call itself."""
    import httpx

    return httpx.create_ssl_context()
