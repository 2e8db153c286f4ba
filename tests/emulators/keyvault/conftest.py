"""Fixtures of the vault's tests."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
from azure.keyvault.secrets._shared import HttpChallengeCache
from cryptography.hazmat.primitives.asymmetric import rsa

from emulators.clock import Clock
from emulators.keyvault.settings import Settings
from tests.emulators.keyvault.bench import Bench, bench_of
from tests.emulators.keyvault.issuer import Issuer

Start = Callable[..., AbstractAsyncContextManager[Bench]]


@pytest.fixture(autouse=True)
def _forget_challenges() -> Iterator[None]:
    """The client keeps challenges per host and port for the whole process; ports return."""
    HttpChallengeCache.clear()
    yield
    HttpChallengeCache.clear()


@pytest.fixture(scope="session")
def signing_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def issuer(signing_key: rsa.RSAPrivateKey, tmp_path: Path) -> Issuer:
    return Issuer(Clock(tmp_path / "clock"), tmp_path / "tls", signing_key)


@pytest.fixture
def start(issuer: Issuer) -> Start:
    """Answers a context manager that runs a vault with the given settings."""

    def run(**options: Any) -> AbstractAsyncContextManager[Bench]:
        def settings(up: Issuer) -> Settings:
            known: dict[str, Any] = {
                "tls": up.tls,
                "clock": up.clock,
                "authority": up.url,
                "tenant": up.tenant,
            }
            return Settings(**(known | options))

        return bench_of(issuer, settings)

    return run


@pytest.fixture
async def bench(start: Start) -> AsyncIterator[Bench]:
    async with start() as running:
        yield running
