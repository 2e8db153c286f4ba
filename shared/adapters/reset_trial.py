"""One password reset with the product's own token, of the one account named for it.

Source: Graph v1.0 "Update user" (passwordProfile; changePassword is for the signed-in user
only), "Get domain" (authenticationType).
"""

import secrets
from typing import TYPE_CHECKING

from shared.adapters.graph_client import Graph
from shared.adapters.graph_query import query
from shared.adapters.graph_rows import Row
from shared.adapters.identity import aadsts, claims, passing, product_credential
from shared.adapters.token_answers import not_yet
from shared.adapters.tokens import refusal
from shared.errors import NeedsHuman, TryLater
from shared.model.credential import NewSecret
from shared.model.privilege import ResetAnswer, ResetTarget
from shared.settings import Settings

if TYPE_CHECKING:
    from shared.adapters.identity import ProductCredential

FORBIDDEN = "AUTOMATION_PRIVILEGE"
"""The code of a 403, here answered to the product's token."""


class UserRow(Row, frozen=True):
    id: str
    user_principal_name: str = ""
    user_type: str | None = None
    on_premises_sync_enabled: bool | None = None


class AuthenticationRow(Row, frozen=True):
    id: str
    authentication_type: str | None = None


class GraphResetTrial:
    """Implements ``ports.ResetTrial``: reads as the automation, resets as the product."""

    def __init__(self, settings: Settings, graph: Graph) -> None:
        self._settings = settings
        self._graph = graph

    async def target(self, account: str) -> ResetTarget | None:
        builder = self._graph.client.users.by_user_id(account)
        select = ["id", "userPrincipalName", "userType", "onPremisesSyncEnabled"]
        info = builder.to_get_request_information(query(builder, select=select))
        row = await self._graph.get(info, UserRow, doing=f"reading the test account {account}")
        known = row and {row.id.lower(), row.user_principal_name.lower()}
        if row is None or not known or account.lower() not in known:
            return None
        guest = row.user_type == "Guest" or "#EXT#" in row.user_principal_name
        return ResetTarget(
            id=row.id,
            user_principal_name=row.user_principal_name,
            synchronised=bool(row.on_premises_sync_enabled),
            federated=await self._federated(row.user_principal_name.rpartition("@")[2]),
            guest=guest,
        )

    async def reset(self, client_id: str, secret: NewSecret, user_id: str) -> ResetAnswer | None:
        from msgraph.generated.models.password_profile import PasswordProfile
        from msgraph.generated.models.user import User

        async with product_credential(self._settings, client_id, secret) as credential:
            token_roles = await _roles(credential, self._settings.graph_scope, client_id)
            if token_roles is None:
                return None
            graph = Graph(self._settings, credential)
            try:
                body = User(
                    password_profile=PasswordProfile(
                        force_change_password_next_sign_in=True, password=_password()
                    )
                )
                info = graph.client.users.by_user_id(user_id).to_patch_request_information(body)
                await graph.write(info, doing=f"resetting the password of {user_id}")
            except NeedsHuman as refused:
                if refused.code != FORBIDDEN:
                    raise
                return ResetAnswer(done=False, token_roles=token_roles)
            finally:
                await graph.close()
        return ResetAnswer(done=True, token_roles=token_roles)

    async def _federated(self, domain: str) -> bool:
        builder = self._graph.client.domains.by_domain_id(domain)
        info = builder.to_get_request_information(
            query(builder, select=["id", "authenticationType"])
        )
        row = await self._graph.get(info, AuthenticationRow, doing=f"reading the domain {domain}")
        return row is not None and row.authentication_type == "Federated"


async def _roles(
    credential: "ProductCredential", scope: str, client_id: str
) -> frozenset[str] | None:
    """Permissions in the product's token, which the credential keeps for the reset itself."""
    from azure.core.exceptions import AzureError, ClientAuthenticationError

    try:
        token = await credential.get_token(scope)
    except ClientAuthenticationError as error:
        code = aadsts(error)
        if not_yet(error):
            return None
        if passing(error):
            raise TryLater("TOKEN_UNREACHABLE", f"asking for a token: {code}") from error
        raise refusal(client_id, code, error) from error
    except AzureError as error:
        why = f"asking for a token: {type(error).__name__}"
        raise TryLater("TOKEN_UNREACHABLE", why) from error
    return frozenset(claims(token.token).get("roles", ()))


def _password() -> str:
    """Thrown away at once: whoever needs the account resets its password again."""
    return f"aA1!{secrets.token_urlsafe(24)}"
