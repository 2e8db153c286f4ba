"""A running emulator for each test, and clients that have signed in to it."""

import os
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from emulators.graph.server import Running, serving

GRAPH_SCOPE = "https://graph.microsoft.com/.default"


class Client(httpx.AsyncClient):
    """httpx with a token of one application, and the admin interface at hand."""

    def __init__(self, graph: Running, client_id: str, client_secret: str) -> None:
        super().__init__(
            base_url=graph.graph, verify=ssl.create_default_context(cafile=graph.ca_file)
        )
        self.running, self.client_id, self.client_secret = graph, client_id, client_secret

    async def token(self, scope: str = GRAPH_SCOPE, **more: str) -> httpx.Response:
        form = {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "scope": scope,
        } | more
        url = f"{self.running.authority}/{self.running.tenant_id}/oauth2/v2.0/token"
        return await self.post(url, data={k: v for k, v in form.items() if v})

    async def sign_in(self) -> "Client":
        answer = await self.token()
        assert answer.status_code == 200, answer.text
        self.headers["authorization"] = f"Bearer {answer.json()['access_token']}"
        return self

    async def admin(self, name: str, **body: Any) -> Any:
        answer = await self.post(f"{self.running.admin}/{name}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def look(self, name: str) -> Any:
        answer = await self.get(f"{self.running.admin}/{name}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def made(self, path: str, body: Any, status: int = 201, **more: Any) -> Any:
        answer = await self.post(path, json=body, **more)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    async def read(self, path: str, **more: Any) -> Any:
        answer = await self.get(path, **more)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def application(self, name: str = "Connector", **more: Any) -> Any:
        body = {"displayName": name, "signInAudience": "AzureADMyOrg"} | more
        return await self.made("/applications", body)

    async def with_principal(self, name: str = "Connector") -> tuple[Any, Any]:
        application = await self.application(name)
        principal = await self.made("/servicePrincipals", {"appId": application["appId"]})
        return application, principal

    async def every(self, path: str, **more: Any) -> list[Any]:
        """All pages of a collection."""
        body = await self.read(path, **more)
        found = list(body["value"])
        while "@odata.nextLink" in body:
            body = await self.read(body["@odata.nextLink"], headers=more.get("headers"))
            found += body["value"]
        return found

    async def graph_principal(self) -> Any:
        return await self.read("/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')")


@pytest.fixture(scope="session")
def tls_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tls")


@pytest.fixture
def users() -> int:
    """Size of the tenant; tests override it."""
    return 120


@pytest.fixture
async def graph(tls_folder: Path, users: int) -> AsyncIterator[Running]:
    # Set the variable to keep every request and answer, for checks from outside.
    traffic = os.environ.get("GRAPH_TRAFFIC")
    file = Path(traffic) if traffic else None
    async with serving(tls=tls_folder, users=users, traffic=file) as running:
        yield running


@pytest.fixture
async def sign_in(graph: Running) -> AsyncIterator[Callable[..., Any]]:
    """Makes clients for applications; closes them all."""
    async with AsyncExitStack() as stack:

        async def make(client_id: str, client_secret: str) -> Client:
            client = await stack.enter_async_context(Client(graph, client_id, client_secret))
            return await client.sign_in()

        yield make


@pytest.fixture
async def admin(graph: Running, sign_in: Callable[..., Any]) -> Client:
    """The administrator: every application permission."""
    client: Client = await sign_in(graph.client_id, graph.client_secret)
    return client


@pytest.fixture
async def automation(graph: Running, sign_in: Callable[..., Any]) -> Client:
    """Least privilege: may write only what it owns."""
    made = graph.automation
    client: Client = await sign_in(made.client_id, made.client_secret)
    return client


@pytest.fixture
async def with_permissions(admin: Client, sign_in: Callable[..., Any]) -> Callable[..., Any]:
    """Makes an application that holds exactly these Graph permissions, and signs in as it."""

    async def make(*permissions: str) -> Client:
        application, _ = await admin.with_principal("Narrow")
        for permission in permissions:
            await admin.admin("grant", app=application["appId"], role=permission)
        secret = await admin.made(f"/applications/{application['id']}/addPassword", {}, status=200)
        client: Client = await sign_in(application["appId"], secret["secretText"])
        return client

    return make
