"""The emulated vault, signed in to as the automation."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from azure.keyvault.secrets._shared import HttpChallengeCache
from cryptography.hazmat.primitives.asymmetric import rsa

from emulators.clock import Clock
from emulators.keyvault.settings import Settings as VaultSettings
from shared.adapters.identity import own_credential
from shared.adapters.keyvault import KeyVault
from shared.settings import Settings
from tests.contracts.conftest import trust
from tests.contracts.vault.stage import Stage
from tests.emulators.keyvault.bench import Bench, bench_of
from tests.emulators.keyvault.issuer import Issuer


@pytest.fixture(scope="module")
def signing_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
async def bench(signing_key: rsa.RSAPrivateKey, tmp_path: Path) -> AsyncIterator[Bench]:
    issuer = Issuer(Clock(tmp_path / "clock"), tmp_path / "tls", signing_key)

    def settings(up: Issuer) -> VaultSettings:
        return VaultSettings(tls=up.tls, clock=up.clock, authority=up.url, tenant=up.tenant)

    HttpChallengeCache.clear()  # kept per host and port for the whole process; ports return
    async with bench_of(issuer, settings) as running:
        yield running
    HttpChallengeCache.clear()


@pytest.fixture
async def stage(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    issuer = bench.issuer
    trust(monkeypatch, issuer.ca_file)
    monkeypatch.setenv("AZURE_TENANT_ID", issuer.tenant)
    monkeypatch.setenv("AZURE_CLIENT_ID", issuer.client_id)
    monkeypatch.setenv("AZURE_CLIENT_SECRET", issuer.client_secret)
    settings = Settings(
        tenant_id=issuer.tenant, authority=issuer.url, vault_url=bench.vault.url, pace=0.0
    )
    credential = own_credential(settings)
    vault = KeyVault(settings, credential)
    yield Stage(vault, bench)
    await vault.close()
    await credential.close()
