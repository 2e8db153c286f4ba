"""An emulated tenant and the adapters that work in it: what the contract tests share."""

from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec
import pytest
from azure.core.credentials_async import AsyncTokenCredential

from emulators.graph.server import Running
from shared.adapters.graph_applications import GraphApplications
from shared.adapters.graph_client import Graph
from shared.adapters.graph_consents import GraphConsents
from shared.adapters.graph_credentials import GraphCredentials
from shared.adapters.graph_directory import GraphDirectory
from shared.adapters.graph_roles import GraphRoles
from shared.adapters.tokens import EntraTokens
from shared.bootstrap import SystemClock
from shared.errors import NeedsHuman, StepError, TryLater
from shared.model.credential import NewSecret
from shared.model.directory import (
    GRAPH_APP_ID,
    Application,
    Kind,
    PermissionKey,
    WantedApplication,
    WantedPrincipal,
)
from shared.model.shape import Shape
from shared.planning.application import LISTED
from shared.settings import Settings

WANTED = WantedApplication(
    unique_name="keyturn-dvls",
    display_name="DVLS PAM",
    audience="AzureADMyOrg",
    public_client=True,
    web_redirects=("https://a.example/cb",),
    native_redirects=("http://localhost",),
    spa_redirects=("https://spa.example",),
    configured=frozenset(
        {
            PermissionKey(
                resource=GRAPH_APP_ID,
                kind=Kind.APPLICATION,
                id="df021288-bdef-4463-88db-98f22de89214",  # User.Read.All
            ),
            PermissionKey(
                resource=GRAPH_APP_ID,
                kind=Kind.DELEGATED,
                id="e1fe6dd8-ba31-4d61-89e7-88639da4683d",  # User.Read
            ),
        }
    ),
    tags=("keyturn", "keyturn:dvls"),
)

PRINCIPAL = WantedPrincipal(display_name=WANTED.display_name, tags=(LISTED,))


def settings_of(running: Running, **changes: Any) -> Settings:
    """At pace 0: deliberate waits take no time."""
    known: dict[str, Any] = {
        "tenant_id": running.tenant_id,
        "authority": running.authority,
        "graph": running.graph,
        "vault_url": "https://127.0.0.1",
        "pace": 0.0,
    }
    return Settings(**(known | changes))


@dataclass(frozen=True)
class Registered:
    """An application with its service principal."""

    object_id: str
    client_id: str
    principal_id: str


@dataclass(frozen=True)
class Stage:
    running: Running
    settings: Settings
    credential: AsyncTokenCredential
    graph: Graph
    admin: httpx.AsyncClient

    @property
    def applications(self) -> GraphApplications:
        return GraphApplications(self.graph, self.settings.pace)

    @property
    def consents(self) -> GraphConsents:
        return GraphConsents(self.graph)

    @property
    def roles(self) -> GraphRoles:
        return GraphRoles(self.graph, self.settings.pace)

    @property
    def credentials(self) -> GraphCredentials:
        return GraphCredentials(self.graph, SystemClock(), self.settings.pace)

    @property
    def directory(self) -> GraphDirectory:
        return GraphDirectory(self.graph)

    @property
    def tokens(self) -> EntraTokens:
        return EntraTokens(self.settings)

    async def control(self, name: str, **body: Any) -> dict[str, Any]:
        answer = await self.admin.post(f"{self.running.admin}/{name}", json=body)
        assert answer.status_code == 200, answer.text
        made: dict[str, Any] = answer.json()
        return made

    async def fault(self, fault: Any, **more: Any) -> None:
        await self.control("faults", fault=fault, **more)

    async def heal(self) -> None:
        answer = await self.admin.delete(f"{self.running.admin}/faults")
        assert answer.status_code == 204

    async def hits(self) -> int:
        """How many calls the faults have struck, answered or not."""
        answer = await self.admin.get(f"{self.running.admin}/faults")
        return sum(rule["hits"] for rule in answer.json())

    async def traffic(self, method: str, part: str) -> list[dict[str, Any]]:
        """Answered requests of this method whose URL holds *part*."""
        answer = await self.admin.get(f"{self.running.admin}/traffic")
        rows = [msgspec.json.decode(line) for line in answer.content.splitlines()]
        return [row for row in rows if row["method"] == method and part in row["url"]]

    async def state(self) -> dict[str, Any]:
        answer = await self.admin.get(f"{self.running.admin}/state")
        found: dict[str, Any] = answer.json()
        return found

    async def forbid(self, *permissions: str) -> None:
        """Take permissions from the automation; its next token lacks them."""
        for name in permissions:
            await self.control(
                "grant", app=self.running.automation.client_id, role=name, revoke=True
            )

    async def application(self) -> Application:
        await self.applications.ensure(WANTED)
        found = await self.applications.find(WANTED.unique_name)
        assert found is not None
        return found

    async def registered(self) -> Registered:
        made = await self.application()
        await self.applications.ensure_principal(made.client_id, PRINCIPAL)
        principal = await self.applications.principal(made.client_id)
        assert principal is not None
        return Registered(made.object_id, made.client_id, principal.object_id)

    async def permission(self, name: str) -> tuple[str, str]:
        """Ids of Graph's service principal and of one application permission."""
        api = await self.directory.resource(GRAPH_APP_ID)
        assert api is not None
        found = [
            p.key.id for p in api.permissions if p.name == name and p.key.kind == "application"
        ]
        return api.principal_id, found[0]

    async def secret(self, object_id: str, name: str = "managed:p/op x") -> NewSecret:
        return await self.credentials.add(object_id, name, ends())

    async def certificate(
        self, object_id: str, name: str = "managed:p/op x", *, shape: Shape = Shape.PEM
    ) -> NewSecret:
        return await self.credentials.add(object_id, name, ends(), shape=shape, subject="dvls")


def ends(days: float = 90) -> datetime:
    return datetime.now(UTC) + timedelta(days=days)


async def try_later(call: Awaitable[object], code: str) -> TryLater:
    """The call must fail in this way; answers the error."""
    error = await _raised(call, code)
    assert isinstance(error, TryLater), repr(error)
    return error


async def needs_human(call: Awaitable[object], code: str) -> NeedsHuman:
    error = await _raised(call, code)
    assert isinstance(error, NeedsHuman), repr(error)
    assert error.remedy
    return error


async def _raised(call: Awaitable[object], code: str) -> StepError:
    with pytest.raises(StepError) as raised:
        await call
    assert raised.value.code == code, repr(raised.value)
    return raised.value
