"""What every answer says to browsers and caches, how often one may ask, and who is remembered."""

import json
from pathlib import Path

import pytest

from functions.http.hardening import HEADERS
from functions.http_api import CALLS
from tests.bad_input.http_bodies import GOOD
from tests.fakes import fake_context
from tests.in_memory.http.client import EVE, Client, principal

URL = "/api/connections"
ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("method", "url", "status"),
    [("GET", URL, 200), ("GET", "/api/connections/x-y", 404), ("POST", URL, 415)],
)
async def test_every_answer_is_hardened(client: Client, method: str, url: str, status: int):
    body = b"{}" if method == "POST" else b""
    answer = await client.send(method, url, body, {"content-type": "text/plain"})
    assert answer.status == status
    assert HEADERS.items() <= dict(answer.headers).items()
    refused = await client.acting({}).get(url) if method == "GET" else answer
    assert HEADERS.items() <= dict(refused.headers).items()


def test_the_host_says_the_same_where_no_function_answers():
    host = json.loads((ROOT / "host.json").read_text("utf-8"))
    assert host["extensions"]["http"]["customHeaders"] == HEADERS


@pytest.mark.diagnosis("RATE_LIMITED")
async def test_who_onboards_too_often_waits_for_the_next_hour():
    client = Client(fake_context(onboarding_rate=2))
    client.ctx.clock.advance(minutes=50 - client.ctx.clock.now().minute)
    for _ in range(2):
        assert (await client.post(URL, GOOD)).status in (200, 202)
    answer = await client.post(URL, {**GOOD, "name": "dvls-two"})
    assert (answer.status, answer.problems) == (429, [("", "RATE_LIMITED")])
    assert 0 < int(answer.headers["Retry-After"]) <= 600
    assert "KEYTURN_ONBOARDING_RATE" in answer.json["problems"][0]["hint"]
    assert [c.spec.name for c in await client.ctx.ledger.connections()] == ["dvls-prod"]
    # Others, and other calls, are not held up; and the next hour begins anew.
    other = client.acting(principal("leo@contoso.com", "Operator"))
    assert (await other.post(URL, GOOD)).status == 200
    assert (await client.get(URL)).status == 200
    client.ctx.clock.advance(minutes=10)
    assert (await client.post(URL, GOOD)).status == 202


async def test_a_caller_without_the_role_uses_nothing_up():
    client = Client(fake_context(onboarding_rate=1))
    for _ in range(3):
        assert (await client.acting(EVE).post(URL, GOOD)).status == 403
    assert (await client.post(URL, GOOD)).status == 202


def test_only_onboarding_is_limited():
    assert [call.name for call in CALLS if call.rated] == ["create_connection"]
