"""What the API shows of secrets: their age as a state, and those that Keyturn did not make."""

from datetime import timedelta

import pytest

from shared.model.connection import Stray
from tests.in_memory.http.client import Client

URL = "/api/connections/dvls-prod"


@pytest.mark.requirement("X-12")
@pytest.mark.parametrize(
    ("days", "state"), [(0, "ok"), (150, "due"), (152, "overdue"), (181, "expired")]
)
async def test_the_age_of_a_secret_is_a_state(client: Client, days: int, state: str):
    await client.onboarded()
    client.ctx.clock.advance(days=days)
    assert (await client.get(URL)).json["credential"]["state"] == state
    (line,) = (await client.get("/api/connections")).json["connections"]
    assert line["credential_state"] == state


@pytest.mark.requirement("X-13")
async def test_secrets_of_others_are_listed_with_age_and_end(client: Client):
    await client.onboarded()
    now = client.ctx.clock.now()
    stray = Stray(
        key_id="k-1",
        name="by hand",
        hint="abc",
        starts=now - timedelta(days=400),
        ends=now - timedelta(days=1),
        seen=now,
        came_with=True,
    )
    await client.ctx.ledger.amend("dvls-prod", strays=(stray,))
    (shown,) = (await client.get(URL)).json["strays"]
    assert (shown["key_id"], shown["age_days"], shown["expired"]) == ("k-1", 400, True)
    assert shown["expires"].startswith("2026-01-04")
