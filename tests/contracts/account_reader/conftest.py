"""A tenant, and readers of it."""

import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from emulators.graph.server import serving
from shared.adapters.graph_accounts import GraphAccounts
from shared.adapters.graph_client import Graph
from tests.contracts.account_reader.tenant import USERS, Tenant, opened


@pytest.fixture
async def tenant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Tenant]:
    async with serving(tls=tmp_path, users=USERS) as running:
        monkeypatch.setenv("SSL_CERT_FILE", running.ca_file)
        trust = ssl.create_default_context(cafile=running.ca_file)
        async with httpx.AsyncClient(verify=trust) as admin:
            yield Tenant(running, admin)


@pytest.fixture
async def graph(tenant: Tenant) -> AsyncIterator[Graph]:
    async with opened(tenant, tenant.running.graph) as made:
        yield made


@pytest.fixture
def reader(graph: Graph) -> GraphAccounts:
    return GraphAccounts(graph)
