"""A vault with an issuer and real clients: what the tests of this folder work with."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import aiohttp
from azure.identity.aio import ClientSecretCredential
from azure.keyvault.secrets.aio import SecretClient

from emulators.keyvault.server import serving
from emulators.keyvault.settings import Settings
from emulators.keyvault.vault import Vault
from tests.emulators.keyvault.issuer import Issuer, issuing

API = "2026-04-01"


@dataclass
class Answer:
    status: int
    body: Any
    headers: Any

    @property
    def error(self) -> dict[str, Any]:
        return self.body["error"]

    @property
    def inner(self) -> str | None:
        return self.body["error"].get("innererror", {}).get("code")


@dataclass
class Bench:
    """Everything closes with the stack."""

    vault: Vault
    issuer: Issuer
    session: aiohttp.ClientSession
    stack: AsyncExitStack

    async def client(
        self,
        app_id: str = "",
        *,
        credential: ClientSecretCredential | None = None,
        url: str = "",
        **options: Any,
    ) -> SecretClient:
        """Answer the real client, authenticated as *app_id* by the real azure-identity."""
        if credential is None:
            own = credential_of(self.issuer, app_id)
            credential = await self.stack.enter_async_context(own)
        options = {"retry_total": 0, **options}
        client = SecretClient(
            url or self.vault.url,
            credential,
            verify_challenge_resource=False,
            connection_verify=self.issuer.ca_file,
            **options,
        )
        return await self.stack.enter_async_context(client)

    async def send(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        token: str | None = None,
        api: str | None = API,
        **query: str,
    ) -> Answer:
        """Send bare HTTP with a good token, for what the real client never sends."""
        query = query if api is None else {"api-version": api, **query}
        url = f"{self.vault.url}{path}?{urlencode(query)}"
        return await self.request(method, url, body, token or self.issuer.token())

    async def request(self, method: str, url: str, body: object, token: str = "") -> Answer:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        data = body if isinstance(body, bytes) else None
        given = None if isinstance(body, bytes) else body
        async with self.session.request(
            method, url, json=given, data=data, headers=headers
        ) as answer:
            text = await answer.text()
            read = json.loads(text) if "json" in answer.content_type and text else text
            return Answer(answer.status, read, answer.headers)

    async def admin(self, method: str, path: str, body: object = None) -> Any:
        """Call the control URL; the answer must be a success."""
        async with self.session.request(method, self.vault.admin + path, json=body) as answer:
            text = await answer.text()
            assert answer.ok, text
            if "ndjson" in answer.content_type:
                return [json.loads(line) for line in text.splitlines()]
            return json.loads(text) if text else None


def credential_of(issuer: Issuer, app_id: str = "", **options: Any) -> ClientSecretCredential:
    return ClientSecretCredential(
        issuer.tenant,
        app_id or issuer.client_id,
        issuer.client_secret,
        authority=issuer.url,
        disable_instance_discovery=True,
        connection_verify=issuer.ca_file,
        **options,
    )


@asynccontextmanager
async def bench_of(issuer: Issuer, make: Callable[[Issuer], Settings]) -> AsyncIterator[Bench]:
    """Start issuer and vault; *make* answers the vault's settings once the issuer is up."""
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(issuing(issuer))
        vault = await stack.enter_async_context(serving(make(issuer)))
        trust = aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=issuer.ca_file))
        session = await stack.enter_async_context(aiohttp.ClientSession(connector=trust))
        yield await stack.enter_async_context(_closing(Bench(vault, issuer, session, stack)))


@asynccontextmanager
async def _closing(bench: Bench) -> AsyncIterator[Bench]:
    yield bench


async def until(condition: Callable[[], Any], seconds: float = 20) -> Any:
    """Wait until *condition* holds; fail when it does not within *seconds*."""
    async with asyncio.timeout(seconds):
        # The condition is another task's or process's doing, without an event to wait for.
        while not (found := condition()):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        return found
