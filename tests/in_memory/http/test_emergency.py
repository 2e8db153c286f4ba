"""`POST /api/connections/{name}/rotation` with `emergency`: who may, when, and the answer."""

from datetime import timedelta
from typing import Any

import pytest

from shared.errors import TryLater
from shared.model.credential import HeldSecret
from tests.in_memory.http.client import EVE, Answer, Client, principal

URL = "/api/connections/dvls-prod"
WHY = {"emergency": True, "reason": "pasted into a ticket"}
READER = principal("ray@contoso.com", "Reader")


async def alarm(client: Client, **changes: Any) -> Answer:
    return await client.post(f"{URL}/rotation", {**WHY, **changes})


async def test_it_is_accepted_and_audited_with_who_and_why(client: Client) -> None:
    await client.onboarded()
    answer = await alarm(client, force=True)
    assert answer.status == 202 and answer.headers["Location"] == URL
    shown = answer.json
    operation = await client.operation(shown["operation"])
    assert (operation.kind, operation.state) == ("emergency", "running")
    assert operation.options == ("force",) == tuple(shown["options"])
    assert shown["old_key_ids"] == ["key-1"]
    assert "an hour" in shown["warning"]
    assert [rung["name"] for rung in shown["timeline"]] == ["requested"]
    (row,) = [
        row
        for row in await client.ctx.ledger.history("dvls-prod")
        if row["what"] == "emergency.requested"
    ]
    assert row["by"] == "ana@contoso.com" and row["principal"] == "id-of-ana@contoso.com"
    assert row["reason"] == WHY["reason"] and row["options"] == ["force"]


async def test_it_takes_the_place_of_what_is_in_flight_and_says_so(client: Client) -> None:
    await client.onboarded()
    running = (await client.post(f"{URL}/rotation")).json["operation"]
    shown = (await alarm(client)).json
    assert (shown["superseded"], shown["superseded_kind"]) == (running, "rotate")
    assert (await client.operation(running)).state == "superseded"
    assert (await alarm(client)).json["operation"] == shown["operation"], "a repeat joins"


async def test_every_other_secret_is_listed(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    await client.onboarded()
    now = client.ctx.clock.now()
    by_hand = HeldSecret(key_id="hand", name="x", starts=now, ends=now + timedelta(days=9))

    async def held(_object_id: str) -> list[HeldSecret]:
        return [by_hand]

    monkeypatch.setattr(client.ctx.credentials, "held", held)
    (other,) = (await alarm(client)).json["others"]
    assert (other["key_id"], other["ours"]) == ("hand", False)


async def test_a_directory_that_is_down_does_not_stop_it(client: Client) -> None:
    await client.onboarded()
    client.ctx.tenant.fail("credentials.held", TryLater("GRAPH_UNAVAILABLE", "HTTP 503"))
    answer = await alarm(client)
    assert answer.status == 202 and answer.json["others"] is None


@pytest.mark.parametrize("caller", [EVE, READER])
async def test_it_needs_an_operator(client: Client, caller: dict[str, str]) -> None:
    await client.onboarded()
    answer = await alarm(client.acting(caller))
    assert answer.status == 403 and answer.problems == [("", "FORBIDDEN")]


async def test_an_offboarding_is_not_stopped(client: Client) -> None:
    await client.onboarded()
    await client.send(
        "DELETE", URL, b'{"reason": "replaced"}', {"content-type": "application/json"}
    )
    answer = await alarm(client)
    assert answer.status == 409 and answer.problems == [("connection", "OFFBOARDING")]


async def test_a_connection_that_never_had_a_secret(client: Client) -> None:
    await client.onboarded()
    await client.ctx.ledger.amend("dvls-prod", credential=None)
    answer = await alarm(client)
    assert answer.status == 409 and answer.problems == [("connection", "NOT_HANDED_OVER")]
