"""A caller of the API, with a world of its own."""

import pytest

from tests.unit.http.client import Client


@pytest.fixture
def client() -> Client:
    return Client()
