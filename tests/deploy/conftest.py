"""An emulated tenant with an administrator who runs the commands, and the apps' identities."""

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from emulators.graph.server import Running, serving
from tests.contracts.conftest import context_of

ROOT = Path(__file__).parents[2]

GRAPH = "00000003-0000-0000-c000-000000000000"


@dataclass
class Said:
    """What a command printed, and how it ended."""

    status: int
    out: str
    error: str


@dataclass
class Tenant:
    """The tenant, and whoever is signed in on the machine where commands are run."""

    graph: Running
    admin: httpx.AsyncClient
    folder: Path
    values: dict[str, str] = field(default_factory=dict)

    @property
    def ready(self) -> dict[str, Any]:
        return self.graph.ready()

    async def run(self, *arguments: str, **signed_in: str) -> Said:
        """A command in a process of its own, as a person runs it: by default as administrator."""
        ready = self.ready
        person = {"client_id": ready["client_id"], "client_secret": ready["client_secret"]}
        person |= signed_in
        environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
            "PYTHONPATH": str(ROOT),
            "SSL_CERT_FILE": ready["ca_file"],
            "AZURE_TENANT_ID": ready["tenant_id"],
            "AZURE_CLIENT_ID": person["client_id"],
            "AZURE_CLIENT_SECRET": person["client_secret"],
            **self.values,
        }
        given = {name: value for name, value in environment.items() if value}
        return await _run(arguments, given, self.folder)

    async def permissions(self, app: str) -> list[str]:
        """Names of Graph's permissions that an app's identity holds, as the tenant has them."""
        state = (await self.admin.get(f"{self.graph.admin}/state")).json()
        principal = self.ready["identities"][app]["object_id"]
        graph = await self.call("GET", f"/servicePrincipals(appId='{GRAPH}')")
        names = {role["id"]: role["value"] for role in graph["appRoles"]}
        return sorted(
            names[row["appRoleId"]]
            for row in state["appRoleAssignments"]
            if row["principalId"] == principal and row["resourceId"] == graph["id"]
        )

    async def take(self, app: str, *permissions: str) -> None:
        """Take permissions from an app's identity behind everybody's back."""
        client_id = self.ready["identities"][app]["client_id"]
        for permission in permissions:
            body = {"app": client_id, "role": permission, "revoke": True}
            (await self.admin.post(f"{self.graph.admin}/grant", json=body)).raise_for_status()

    async def give(self, client_id: str, permission: str) -> None:
        body = {"app": client_id, "role": permission}
        (await self.admin.post(f"{self.graph.admin}/grant", json=body)).raise_for_status()

    async def fault(self, **rule: Any) -> None:
        (await self.admin.post(f"{self.graph.admin}/faults", json=rule)).raise_for_status()

    async def call(self, method: str, path: str, body: Any = None) -> Any:
        """A call of Graph as the tenant's administrator."""
        ready = self.ready
        form = {
            "grant_type": "client_credentials",
            "client_id": ready["client_id"],
            "client_secret": ready["client_secret"],
            "scope": "https://graph.microsoft.com/.default",
        }
        url = f"{ready['authority']}/{ready['tenant_id']}/oauth2/v2.0/token"
        token = (await self.admin.post(url, data=form)).json()["access_token"]
        answer = await self.admin.request(
            method, ready["graph"] + path, json=body, headers={"Authorization": f"Bearer {token}"}
        )
        answer.raise_for_status()
        return answer.json() if answer.content else None


async def _run(arguments: tuple[str, ...], environment: Mapping[str, str], folder: Path) -> Said:
    import asyncio

    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "deploy",
        *arguments,
        env=environment,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    out, error = await asyncio.wait_for(process.communicate(), 120)
    return Said(process.returncode or 0, out.decode(), error.decode())


@pytest_asyncio.fixture
async def tenant(tmp_path: Path) -> AsyncIterator[Tenant]:
    """Identities that have just been provisioned: they hold nothing."""
    async with (
        serving(tls=tmp_path / "tls", users=20) as graph,
        httpx.AsyncClient(verify=context_of(graph.ca_file), trust_env=False) as admin,
    ):
        made = Tenant(graph, admin, tmp_path)
        listed = json.loads((ROOT / "infra" / "permissions.json").read_text("utf-8"))
        for app, rights in listed.items():
            await made.take(app, *(right["permission"] for right in rights))
        _azd(made)
        yield made


def _azd(tenant: Tenant) -> None:
    """What `azd provision` leaves behind in the checkout."""
    ready, folder = tenant.ready, tenant.folder / ".azure"
    (folder / "test").mkdir(parents=True)
    (folder / "config.json").write_text('{"version": 1, "defaultEnvironment": "test"}')
    identities = ready["identities"]
    kept = {
        "AZURE_ENV_NAME": "test",
        "KEYTURN_AUTHORITY": ready["authority"],
        "KEYTURN_GRAPH": ready["graph"],
        "KEYTURN_FRONT_PRINCIPAL_ID": identities["front"]["object_id"],
        "KEYTURN_WORKER_PRINCIPAL_ID": identities["worker"]["object_id"],
    }
    lines = "".join(f'{name}="{value}"\n' for name, value in kept.items())
    (folder / "test" / ".env").write_text(lines)


@pytest.fixture
def listed() -> dict[str, list[str]]:
    """What each identity is to hold."""
    document = json.loads((ROOT / "infra" / "permissions.json").read_text("utf-8"))
    return {app: sorted(row["permission"] for row in rows) for app, rows in document.items()}
