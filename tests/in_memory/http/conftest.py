"""A caller of the API, with a world of its own."""

import pytest

from tests.in_memory.http.client import Client


@pytest.fixture(autouse=True)
def _platform_auth(monkeypatch: pytest.MonkeyPatch) -> None:
    """Callers are known, as behind App Service Authentication."""
    monkeypatch.setenv("KEYTURN_PLATFORM_AUTH", "entra")


@pytest.fixture
def client() -> Client:
    return Client()
