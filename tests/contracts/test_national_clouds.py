"""In another cloud of Microsoft's, nothing is sent to the hosts of the worldwide one."""

import ast
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import pytest

from shared.adapters.graph_client import Graph
from shared.adapters.graph_directory import GraphDirectory
from shared.adapters.tokens import EntraTokens
from shared.errors import StepError
from shared.model.credential import NewSecret
from shared.settings import Settings
from tests.fakes import START

LOGIN, GRAPH = "login.microsoftonline.us", "graph.microsoft.us"

US = Settings(
    tenant_id="7c0de5a1-3f6b-4f3e-9c4d-0d5a1e9b7c11",
    authority=f"https://{LOGIN}",
    graph=f"https://{GRAPH}/v1.0",
    vault_url="https://kv.vault.usgovcloudapi.net",
    pace=0.0,
)

ROOT = Path(__file__).parents[2]


class Credential:
    """Issues a made-up token and notes for what."""

    def __init__(self) -> None:
        self.scopes: set[str] = set()

    async def get_token(self, *scopes: str, **_: Any) -> Any:
        from azure.core.credentials import AccessToken

        self.scopes.update(scopes)
        return AccessToken("e30.e30.", int(START.timestamp()) + 10**9)

    async def close(self) -> None: ...


@pytest.mark.requirement("X-19")
async def test_graph_is_asked_where_the_settings_say(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    async def answer(_: Any, request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        row = {"id": US.tenant_id, "displayName": "Agency", "verifiedDomains": []}
        return httpx.Response(200, json={"value": [row]})

    monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", answer)
    credential = Credential()
    graph = Graph(US, credential)  # type: ignore[arg-type]  # as much of one as is used
    try:
        assert (await GraphDirectory(graph).tenant()).name == "Agency"
    finally:
        await graph.close()
    assert asked == [GRAPH]
    assert credential.scopes == {f"https://{GRAPH}/.default"}


@pytest.mark.requirement("X-19")
async def test_tokens_are_asked_for_where_the_settings_say(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    async def refuse(_: Any, __: str, url: Any, **options: Any) -> Any:
        asked.append((httpx.URL(str(url)).host, str(options.get("data", ""))))
        raise aiohttp.ClientConnectionError("not in this test")

    monkeypatch.setattr(aiohttp.ClientSession, "_request", refuse)
    secret = NewSecret(key_id="k", ends=START, hint="abc", value="made up")
    with pytest.raises(StepError):
        await EntraTokens(US).obtain("0f8fad5b-d9cb-469f-a165-70867728950e", secret)
    assert {host for host, _ in asked} == {LOGIN}


@pytest.mark.requirement("X-19")
def test_no_host_of_a_cloud_stands_anywhere_but_in_the_settings() -> None:
    marks = ("microsoft", "azure.", "windows.net")
    found = [
        f"{file.relative_to(ROOT)}:{node.lineno} {node.value}"
        for folder in ("shared", "functions")
        for file in (ROOT / folder).rglob("*.py")
        if file.name != "settings.py"
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value.startswith("https://")
        and any(mark in node.value for mark in marks)
    ]
    assert found == []
