"""``python -m deploy doctor`` on the local cloud: healthy, and with one thing broken at a time."""

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from emulators.stack import Cloud, Options
from tests.end_to_end.local import Local, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROOT = Path(__file__).parents[2]


@dataclass
class Said:
    """What the command printed, and how it ended."""

    status: int
    out: str

    def line(self, start: str) -> str:
        """The one finding that is about this, with its remedy."""
        lines = self.out.splitlines()
        (at,) = [n for n, line in enumerate(lines) if line[9:].startswith(start)]
        remedy = lines[at + 1] if lines[at + 1].lstrip().startswith("->") else ""
        return lines[at] + remedy


class Clinic(Local):
    """A cloud of two apps, and an administrator who may read the API."""

    async def deploy(self, *arguments: str) -> Said:
        state, identities = self.state, self.cloud.children["graph"].ready["identities"]
        environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
            "PYTHONPATH": str(ROOT),
            "SSL_CERT_FILE": state["ca_file"],
            "AZURE_TENANT_ID": state["tenant_id"],
            "AZURE_CLIENT_ID": state["client_id"],
            "AZURE_CLIENT_SECRET": state["client_secret"],
            "KEYTURN_AUTHORITY": state["authority"],
            "KEYTURN_GRAPH": state["graph"],
            "KEYTURN_API_CLIENT_ID": state["api_audience"],
            "KEYTURN_FRONT_PRINCIPAL_ID": identities["front"]["object_id"],
            "KEYTURN_WORKER_PRINCIPAL_ID": identities["worker"]["object_id"],
            "KEYTURN_FRONT_URL": state["functions"],
            "KEYTURN_FUNCTION_KEY": state["function_key"],
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "deploy",
            *arguments,
            env=environment,
            cwd=self.cloud.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        out, _ = await asyncio.wait_for(process.communicate(), 180)
        return Said(process.returncode or 0, out.decode())

    async def worker_looks(self) -> None:
        """Let the worker's timer run now, and wait for its note."""
        before = await self._noted()
        headers = {"x-functions-key": self.state["worker_master_key"]}
        async with httpx.AsyncClient(trust_env=False) as http:
            url = f"{self.state['worker']}/admin/functions/checkup"
            answer = await http.post(url, json={}, headers=headers)
            assert answer.status_code == 202, answer.text

        async def again() -> bool:
            return await self._noted() != before

        await until("the worker to look", again)

    async def _noted(self) -> Any:
        return ((await self.call("GET", "/api/health", caller="reader")).json())["worker"]

    async def swept(self) -> None:
        """Let every timer run once."""
        await self.control("clock", {"advance_seconds": 330})

        async def all_of_them() -> bool:
            answer = await self.call("GET", "/api/health", caller="reader")
            return len(answer.json().get("sweeps", ())) == 8

        await until("every timer to have swept", all_of_them)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def clinic(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Clinic]:
    options = Options(folder=tmp_path_factory.mktemp("cloud"), users=20, apart=True)
    async with Cloud(options) as cloud, Clinic(cloud) as made:
        reader = {"app": made.state["client_id"], "role": "Keyturn.Reader"}
        await made.control("grant", {**reader, "resource": made.state["api_audience"]})
        said = await made.deploy("permissions", "--yes")
        assert said.status == 0, said.out
        await made.swept()
        await made.worker_looks()
        yield made


async def test_a_healthy_deployment_is_said_to_be_one(clinic: Clinic) -> None:
    said = await clinic.deploy("doctor")
    assert said.status == 0, said.out
    assert "FAILED" not in said.out
    for what in ("sign-in", "directory, front door", "directory, worker", "directory, api regis"):
        assert said.line(what).startswith("ok"), said.out
    for what in ("ledger", "accounts", "imports", "service bus", "graph", "permissions", "clock"):
        assert said.line(f"front door, {what}").startswith("ok"), said.out
        assert said.line(f"worker, {what}").startswith("ok"), said.out
    assert said.line("worker, vault").startswith("ok")
    assert "front door, vault" not in said.out


async def test_a_permission_that_was_taken_away_is_named(clinic: Clinic) -> None:
    worker = clinic.cloud.children["graph"].ready["identities"]["worker"]["client_id"]
    grant = {"app": worker, "role": "User.Read.All"}
    await clinic.control("grant", {**grant, "revoke": True})
    try:
        await clinic.worker_looks()
        said = await clinic.deploy("doctor")
        assert said.status == 1
        assert "missing: User.Read.All" in said.line("worker, permissions")
        assert "python -m deploy permissions" in said.line("worker, permissions")
        assert "grant User.Read.All" in said.line("directory, worker")
        assert said.line("front door, permissions").startswith("ok")
    finally:
        await clinic.control("grant", grant)
        await clinic.worker_looks()


async def test_a_vault_that_refuses_is_named(clinic: Clinic) -> None:
    worker = clinic.cloud.children["graph"].ready["identities"]["worker"]["client_id"]
    await clinic.control("rbac", {"app_id": worker, "role": "none"}, vault=True)
    try:
        await clinic.worker_looks()
        said = await clinic.deploy("doctor")
        assert said.status == 1
        assert "VAULT_FORBIDDEN" in said.line("worker, vault")
        assert "Key Vault Secrets Officer" in said.line("worker, vault")
    finally:
        await clinic.control("rbac", {"app_id": worker, "role": "officer"}, vault=True)
        await clinic.worker_looks()


async def test_a_clock_that_is_wrong_is_named(clinic: Clinic) -> None:
    await clinic.control("skew", {"seconds": 600})
    try:
        said = await clinic.deploy("doctor")
        assert said.status == 1
        assert re.search(
            r"(59|60)\d seconds behind the authority's", said.line("front door, clock")
        )
        assert "restart the app" in said.line("front door, clock")
    finally:
        await clinic.control("skew", {"seconds": 0})


async def test_a_table_that_is_missing_is_named(clinic: Clinic) -> None:
    from azure.data.tables.aio import TableServiceClient

    connection = clinic.state["storage_connection_string"]
    async with TableServiceClient.from_connection_string(connection) as tables:
        await tables.delete_table("keyturnrates")
        try:
            said = await clinic.deploy("doctor")
            assert said.status == 1
            assert "keyturnrates" in said.line("front door, ledger")
            assert "azd provision" in said.line("front door, ledger")
        finally:
            await tables.create_table("keyturnrates")


async def test_a_queue_that_is_missing_is_named(clinic: Clinic) -> None:
    whole = clinic.cloud.topology.read_text("utf-8")
    document = json.loads(whole)
    (namespace,) = document["UserConfig"]["Namespaces"]
    namespace["Queues"] = [queue for queue in namespace["Queues"] if queue["Name"] != "roles"]
    clinic.cloud.topology.write_text(json.dumps(document), "utf-8")
    await clinic.cloud.restart("servicebus")
    try:
        said = await clinic.deploy("doctor")
        assert said.status == 1
        assert "queue roles" in said.line("front door, service bus"), said.out
        assert "queue consent" not in said.out
    finally:
        clinic.cloud.topology.write_text(whole, "utf-8")
        await clinic.cloud.restart("servicebus")


async def test_a_setting_that_is_missing_is_named(clinic: Clinic) -> None:
    host = clinic.cloud.children["host"]
    url = host.env.pop("KEYTURN_VAULT_URL")
    await clinic.cloud.restart("host")
    clinic.rebase()
    try:
        said = await clinic.deploy("doctor")
        assert said.status == 1
        assert "KEYTURN_VAULT_URL" in said.line("app, settings"), said.out
        assert "set what is named" in said.line("app, settings")
    finally:
        host.env["KEYTURN_VAULT_URL"] = url
        await clinic.cloud.restart("host")
        clinic.rebase()


async def test_a_worker_that_is_silent_is_named(clinic: Clinic) -> None:
    await clinic.cloud.children["worker"].stop()
    await clinic.control("clock", {"advance_seconds": 3000})
    said = await clinic.deploy("doctor")
    assert said.status == 1
    assert "it told last 5" in said.line("worker:") and "minutes ago" in said.line("worker:")
    assert "its log names settings that are missing" in said.line("worker:")
