"""Emulated tenant and vault on one clock, with the real adapters; ledger and queues in memory."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from azure.identity.aio import ClientSecretCredential
from azure.keyvault.secrets._shared import HttpChallengeCache
from azure.keyvault.secrets.aio import SecretClient

from emulators.clock import Clock
from emulators.graph.server import Running, serving
from emulators.keyvault import server as keyvault
from emulators.keyvault.settings import Settings as VaultSettings
from emulators.keyvault.vault import Vault
from shared.adapters.graph_client import Graph
from shared.adapters.keyvault import KeyVault
from tests.contracts.conftest import context_of, trust
from tests.contracts.stage import Stage, settings_of
from tests.fakes import FakeClock, FakeContext, FakeTenant, fake_context

FRESH = timedelta(minutes=30)


class SharedClock(FakeClock):
    """The emulators' clock, as tests and steps move it."""

    def __init__(self, clock: Clock) -> None:
        self._shared = clock

    def now(self) -> datetime:
        return self._shared.now()

    def advance(self, by: timedelta | None = None, **parts: float) -> None:
        self._shared.advance(by if by is not None else timedelta(**parts))

    def reach(self, moment: datetime) -> None:
        left = moment - self.now()
        if left > timedelta(0):
            self.advance(left)


class OnTime:
    """The automation's credential: the SDK's caches know real time only."""

    def __init__(self, running: Running, clock: Clock) -> None:
        self._running, self._clock = running, clock
        self._made = clock.now()
        self._all = [self._fresh()]

    async def get_token(self, *scopes: str, **options: Any) -> Any:
        if self._clock.now() > self._made + FRESH:
            self._made = self._clock.now()
            self._all.append(self._fresh())
        return await self._all[-1].get_token(*scopes, **options)

    def _fresh(self) -> ClientSecretCredential:
        running = self._running
        return ClientSecretCredential(
            running.tenant_id,
            running.automation.client_id,
            running.automation.client_secret,
            authority=running.authority,
            disable_instance_discovery=True,
        )

    async def close(self) -> None:
        for credential in self._all:
            await credential.close()


@dataclass(frozen=True)
class Cloud:
    """`ctx` is what steps work with; `people` is the vault as a person's tool sees it."""

    stage: Stage
    vault: Vault
    people: SecretClient
    ctx: FakeContext

    def role(self, name: str) -> None:
        """Give the automation another role on the vault: officer, user or none."""
        self.vault.rbac.default = type(self.vault.rbac.default)(name)


@asynccontextmanager
async def clouds(tls: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Cloud]:
    HttpChallengeCache.clear()  # kept per host and port for the whole process; ports return
    clock = Clock()
    async with serving(tls=tls, users=120, clock=clock) as running:
        trust(monkeypatch, running.ca_file)
        own = OnTime(running, clock)
        options = VaultSettings(
            tls=tls, clock=clock, authority=running.authority, tenant=running.tenant_id
        )
        async with (
            keyvault.serving(options) as vault,
            httpx.AsyncClient(verify=context_of(running.ca_file)) as admin,
            SecretClient(vault.url, own, verify_challenge_resource=False) as people,  # type: ignore[arg-type] # as much of one as is needed
        ):
            settings = settings_of(running, vault_url=vault.url)
            graph = Graph(settings, own)  # type: ignore[arg-type] # as much of one as is needed
            stored = KeyVault(settings, own)  # type: ignore[arg-type] # as much of one as is needed
            stage = Stage(running, settings, own, graph, admin)  # type: ignore[arg-type] # as above
            yield Cloud(stage, vault, people, _context(stage, stored, clock))
            await graph.close()
            await stored.close()
        await own.close()
    HttpChallengeCache.clear()


def _context(stage: Stage, vault: KeyVault, clock: Clock) -> FakeContext:
    return fake_context(
        tenant=FakeTenant(SharedClock(clock)),
        write_spacing=timedelta(0),
        pace=0.0,
        directory=stage.directory,
        applications=stage.applications,
        consents=stage.consents,
        roles=stage.roles,
        credentials=stage.credentials,
        tokens=stage.tokens,
        vault=vault,
    )
