"""A caller of the API, with a world of its own."""

import pytest

from tests.in_memory.http.client import SIGN_IN, Client


@pytest.fixture(autouse=True)
def _platform_auth(monkeypatch: pytest.MonkeyPatch) -> None:
    """Callers are known, as behind App Service Authentication."""
    for name, value in SIGN_IN.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def client() -> Client:
    return Client()
