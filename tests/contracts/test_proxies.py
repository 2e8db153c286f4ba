"""Requests go through the environment's proxy, all of them or none."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from shared.adapters.graph_client import Graph
from shared.adapters.graph_entities import GraphEntities
from shared.adapters.graph_rows import IdRow
from shared.adapters.identity import own_credential
from shared.adapters.traced_transport import TracedTransport
from shared.model.entities import Reading
from tests.contracts.stage import Stage

VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
READING = Reading(kind="user", attributes=(), tracked=False)


class Proxy:
    """Connects whoever asks with whom they name."""

    def __init__(self) -> None:
        self.named: list[str] = []

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        async with server:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = (await reader.readuntil(b"\r\n\r\n")).decode()
        method, target, _ = request.split(" ", 2)
        assert method == "CONNECT"
        self.named.append(target)
        host, port = target.split(":")
        there = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(_carried(reader, there[1]), _carried(there[0], writer))


async def _carried(source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
    try:
        while data := await source.read(65536):
            to.write(data)
            await to.drain()
    except ConnectionError:
        pass
    finally:
        to.close()


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


async def reads(stage: Stage) -> int:
    """By a new identity: it signs in, reads an object by the SDK, and a page of users."""
    async with AsyncExitStack() as closing:
        credential = own_credential(stage.settings)
        closing.push_async_callback(credential.close)
        graph = Graph(stage.settings, credential)
        closing.push_async_callback(graph.close)
        await graph.everything(graph.client.organization.to_get_request_information(), IdRow)
        pages = [page async for page in GraphEntities(graph).pages(READING)]
    return sum(len(page.findings.rows) for page in pages)


async def test_each_way_out_goes_through_it(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = Proxy()
    async with proxy.serving() as address:
        monkeypatch.setenv("HTTPS_PROXY", address)
        assert await reads(stage) == 120
    # For a token, for the object and for the users: each has a connection of its own.
    assert proxy.named == [f"127.0.0.1:{stage.running.port}"] * 3


async def test_none_is_asked_for_a_host_that_needs_none(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = Proxy()
    async with proxy.serving() as address:
        monkeypatch.setenv("HTTPS_PROXY", address)
        monkeypatch.setenv("NO_PROXY", "localhost,127.0.0.1")
        assert await reads(stage) == 120
    assert proxy.named == []


async def test_none_is_asked_where_there_is_none(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nor a file of passwords, which a client that looks for proxies reads as well."""
    passwords = tmp_path / "netrc"
    passwords.write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(passwords))
    transport = TracedTransport("storage")
    async with transport:
        assert transport.session is not None
        assert not transport.session.trust_env
    assert await reads(stage) == 120
