"""The tenant's directory through Microsoft's SDK, with refusals explained for people."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from deploy.target import Target
from shared.settings import GRAPH_HOSTS, KNOWN_AUTHORITIES

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

GRANTING = "Privileged Role Administrator"
REGISTERING = "Application Administrator"

RIGHTS = {
    GRANTING: "AppRoleAssignment.ReadWrite.All and Application.Read.All",
    REGISTERING: "Application.ReadWrite.All, User.Read.All and AppRoleAssignment.ReadWrite.All",
}
"""Directory roles, and what an application that runs this instead of a person needs of Graph.

Source: "Microsoft Entra built-in roles"; "Grant or revoke API permissions programmatically".
"""


class Refused(Exception):
    """The directory did not let us; the text says who is let."""


@asynccontextmanager
async def signed_in(target: Target) -> AsyncIterator[Any]:
    """A client of Graph that acts as whoever is signed in here (`az login`, or azd)."""
    from kiota_authentication_azure.azure_identity_authentication_provider import (
        AzureIdentityAuthenticationProvider,
    )
    from msgraph import GraphRequestAdapter, GraphServiceClient

    host = urlsplit(target.graph).hostname or ""
    scope = f"https://{host if host in GRAPH_HOSTS else 'graph.microsoft.com'}/.default"
    hosts = [urlsplit(target.graph).netloc, host]
    async with credential(target) as own:
        provider = AzureIdentityAuthenticationProvider(own, scopes=[scope], allowed_hosts=hosts)
        adapter = GraphRequestAdapter(provider)
        adapter.base_url = target.graph
        yield GraphServiceClient(request_adapter=adapter)


def credential(target: Target) -> "AsyncTokenCredential":
    """Variables of azure-identity win (a pipeline's), then `az login`, then `azd auth login`."""
    from azure.identity.aio import (
        AzureCliCredential,
        AzureDeveloperCliCredential,
        ChainedTokenCredential,
        EnvironmentCredential,
    )

    private = (urlsplit(target.authority).hostname or "") not in KNOWN_AUTHORITIES
    return ChainedTokenCredential(
        EnvironmentCredential(authority=target.authority, disable_instance_discovery=private),
        AzureCliCredential(tenant_id=target.tenant_id),
        AzureDeveloperCliCredential(tenant_id=target.tenant_id),
    )


@contextmanager
def explained(doing: str, role: str) -> Iterator[None]:
    """Raise `Refused` with what the caller lacks instead of the SDK's errors."""
    import httpx
    from azure.core.exceptions import AzureError, ClientAuthenticationError
    from kiota_abstractions.api_error import APIError

    try:
        yield
    except ClientAuthenticationError as error:
        raise Refused(
            f"{doing}: nobody is signed in here. Run `az login --tenant ...` as a {role}, then "
            f"this again. ({type(error).__name__})"
        ) from error
    except (httpx.HTTPError, AzureError) as error:
        raise Refused(f"{doing}: the service cannot be reached: {error!r}") from error
    except APIError as error:
        status = error.response_status_code
        main = getattr(error, "error", None)
        said = f"HTTP {status} {getattr(main, 'code', '')}: {getattr(main, 'message', '')}"
        if status == 403:
            raise Refused(
                f"{doing} was refused ({said}). It takes the directory role {role}, or Global "
                f"Administrator, active at this moment (PIM), of whoever runs this; an application "
                f"needs {RIGHTS[role]} of Microsoft Graph. Have such a person run the same "
                "command: what has been done stays, and is not done twice."
            ) from error
        if status == 429:
            raise Refused(
                f"{doing}: Graph throttles ({said}); run it again in a minute."
            ) from error
        raise Refused(f"{doing} failed ({said}).") from error


def missing(error: Any) -> bool:
    """Whether the SDK's error says that there is no such object."""
    return getattr(error, "response_status_code", 0) == 404
