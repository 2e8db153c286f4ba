"""The emulated tenant, its control interface, and what its accounts come from."""

from typing import Any

import httpx
import msgspec
from azure.identity.aio import ClientSecretCredential

from emulators.graph.server import Running
from shared.adapters.graph_accounts import GraphAccounts
from shared.adapters.graph_client import Graph
from shared.model.accounts import Origin, Through
from shared.settings import Settings

MEMBERS = "GET /groups/{id}/members"
ELIGIBLE = "GET /roleManagement/directory/roleEligibilityScheduleInstances"
USERS = 4000


class Tenant:
    """The emulator and its control interface."""

    def __init__(self, running: Running, admin: httpx.AsyncClient) -> None:
        self.running = running
        self._admin = admin

    async def control(self, name: str, **body: Any) -> dict[str, Any]:
        answer = await self._admin.post(f"{self.running.admin}/{name}", json=body)
        assert answer.status_code == 200, answer.text
        made: dict[str, Any] = answer.json()
        return made

    async def group(self, name: str, *members: str) -> str:
        made = await self.control(
            "tenant", groups=[{"displayName": name, "members": list(members)}]
        )
        return str(made["groups"][0])

    async def user(self, name: str, **more: Any) -> str:
        values = {"displayName": name, "userPrincipalName": f"{name}@contoso.onmicrosoft.com"}
        return str((await self.control("tenant", users=[values | more]))["users"][0])

    async def requests(self, part: str) -> list[dict[str, Any]]:
        answer = await self._admin.get(f"{self.running.admin}/traffic")
        return [
            row
            for row in map(msgspec.json.decode, answer.content.splitlines())
            if part in row["url"]
        ]


class opened:  # noqa: N801 - reads as the function it stands for
    """Graph's client, signed in as the automation, and closed again."""

    def __init__(self, tenant: Tenant, base: str) -> None:
        running = tenant.running
        self._credential = ClientSecretCredential(
            running.tenant_id,
            running.automation.client_id,
            running.automation.client_secret,
            authority=running.authority,
            disable_instance_discovery=True,
            connection_verify=running.ca_file,
        )
        settings = Settings(
            tenant_id=running.tenant_id,
            authority=running.authority,
            graph=base,
            vault_url="https://127.0.0.1",
        )
        self._graph = Graph(settings, self._credential)

    async def __aenter__(self) -> Graph:
        return self._graph

    async def __aexit__(self, *_: object) -> None:
        await self._graph.close()
        await self._credential.close()


def group(id_: str, name: str = "Some group") -> Origin:
    return Origin(kind="group", id=id_, name=name)


async def role(reader: GraphAccounts, name: str) -> Origin:
    ((found,),) = (await reader.resolve_roles([name])).values()
    return found


def ids(origin: Origin) -> tuple[str, ...]:
    """The groups on the way."""
    return tuple(step.id for step in origin.chain)


def through(id_: str, name: str = "Middle") -> Through:
    return Through(id=id_, name=name)
