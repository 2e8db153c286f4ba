"""The product's Graph adapters, signed in as the automation to an emulated tenant."""

import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from emulators.graph.server import serving
from shared.adapters.graph_client import Graph
from shared.adapters.identity import own_credential
from tests.contracts.stage import Stage, settings_of


@pytest.fixture(scope="session")
def stage_tls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("stage-tls")


@pytest.fixture
async def stage(
    stage_tls: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> AsyncIterator[Stage]:
    """Of 120 users, unless a test asks for another number."""
    async with serving(tls=stage_tls, users=getattr(request, "param", 120)) as running:
        trust(monkeypatch, running.ca_file)
        monkeypatch.setenv("AZURE_TENANT_ID", running.tenant_id)
        monkeypatch.setenv("AZURE_CLIENT_ID", running.automation.client_id)
        monkeypatch.setenv("AZURE_CLIENT_SECRET", running.automation.client_secret)
        settings = settings_of(running)
        credential = own_credential(settings)
        graph = Graph(settings, credential)
        async with httpx.AsyncClient(verify=context_of(running.ca_file)) as admin:
            yield Stage(running, settings, credential, graph, admin)
        await graph.close()
        await credential.close()


def trust(monkeypatch: pytest.MonkeyPatch, ca_file: str) -> None:
    """What SSL_CERT_FILE in the environment does for a process that starts with it.

    aiohttp makes its context once, when it is imported; that was before this test.
    """
    monkeypatch.setenv("SSL_CERT_FILE", ca_file)
    monkeypatch.setattr("aiohttp.connector._SSL_CONTEXT_VERIFIED", context_of(ca_file))


def context_of(ca_file: str) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca_file)
