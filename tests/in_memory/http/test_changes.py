"""PATCH of a connection: a whole new spec, checked, stored once, and brought about."""

from typing import Any

import pytest

from shared.requests import Change, changed
from tests.bad_input.http_bodies import GOOD
from tests.in_memory.http.client import ANA, EVE, Client, principal

URL = "/api/connections"
ONE = f"{URL}/dvls-prod"
SWAP = "RoleManagement.ReadWrite.Directory"


async def patch(client: Client, body: Any, **headers: str) -> Any:
    return await client.patch(ONE, body, headers)


async def later(client: Client) -> None:
    client.ctx.clock.advance(minutes=1)


async def stored(client: Client) -> dict[str, Any]:
    found: dict[str, Any] = (await client.get(ONE)).json
    return found


@pytest.mark.requirement("X-17")
async def test_a_wrong_filter_is_corrected(client: Client):
    await client.onboarded()
    await later(client)
    answer = await patch(client, {"inputs": {"filter": ["User Administrator"]}})
    assert answer.status == 202
    assert answer.json["before"] == {"inputs": {"filter": []}}
    assert answer.json["after"] == {"inputs": {"filter": ["User Administrator"]}}
    assert answer.json["approval_needed"] == ["User-PasswordProfile.ReadWrite.All"]
    shown = await stored(client)
    assert shown["inputs"]["filter"] == ["User Administrator"]
    assert shown["inputs"]["provider_name"] == "DVLS PAM"
    sent = client.ctx.outbox.sent[-1]
    assert (sent.step, sent.message.operation) == ("registration", answer.json["operation"])
    row = (await client.get(f"{ONE}/history")).json["entries"][-1]
    assert row["what"] == "connection.changed"
    assert row["data"]["by"] == "ana@contoso.com"
    assert (row["data"]["before"], row["data"]["after"]) == (
        answer.json["before"],
        answer.json["after"],
    )


async def test_the_changed_body_is_the_new_one_of_the_name(client: Client):
    await client.onboarded()
    await later(client)
    await patch(client, {"owner": "ben@contoso.com"})
    old = await client.post(URL, GOOD)
    assert (old.status, old.problems) == (409, [("name", "NAME_TAKEN")])
    new = await client.post(URL, {**GOOD, "owner": "ben@contoso.com"})
    assert new.status == 200


async def test_a_null_goes_back_to_the_default(client: Client):
    await client.onboarded()
    await later(client)
    await patch(client, {"features": {"discovery": False}, "inputs": {"description": "old"}})
    assert (await stored(client))["inputs"]["description"] == "old"
    await client.stop((await stored(client))["operations"][0]["id"])
    answer = await patch(client, {"features": {"discovery": None}, "inputs": {"description": None}})
    assert answer.status == 202
    shown = await stored(client)
    assert shown["features"]["discovery"] is True
    assert "description" not in shown["inputs"]


@pytest.mark.requirement("X-07")
async def test_more_that_is_high_risk_waits_for_somebody_else(client: Client):
    await client.onboarded()
    await client.acting(EVE).post(f"{ONE}/approval", {"reason": "CHG-1"})
    await later(client)
    answer = await patch(client, {"accept_swaps": []})
    assert answer.json["approval_needed"] == [SWAP]
    both = principal("ana@contoso.com", "Operator", "Approver")
    own = await client.acting(both).post(f"{ONE}/approval", {"reason": "mine"})
    assert (own.status, own.problems) == (403, [("approval", "SELF_APPROVAL")])
    given = await client.acting(EVE).post(f"{ONE}/approval", {"reason": "CHG-2"})
    assert SWAP in given.json["approval"]["covers"]


async def test_a_change_waits_for_the_operation_in_flight(client: Client):
    made = await client.post(URL, GOOD)
    answer = await patch(client, {"owner": "ben@contoso.com"})
    assert (answer.status, answer.problems) == (409, [("connection", "OPERATION_RUNNING")])
    assert answer.json["operation"] == made.json["operation"]
    assert (await stored(client))["owner"] == "ana@contoso.com"


@pytest.mark.diagnosis("CONFIG_CONFLICT")
async def test_of_two_changes_at_once_one_is_told(client: Client):
    await client.onboarded()
    await later(client)
    seen = (await client.get(ONE)).headers["ETag"]
    first = await patch(client, {"owner": "ben@contoso.com"}, if_match=seen)
    assert first.status == 202
    assert first.headers["ETag"] == (await client.get(ONE)).headers["ETag"] != seen
    second = await patch(client, {"owner": "cleo@contoso.com"}, if_match=seen)
    assert (second.status, second.problems) == (412, [("if-match", "CONFIG_CONFLICT")])
    assert (await stored(client))["owner"] == "ben@contoso.com"


@pytest.mark.diagnosis("CONFIG_CONFLICT")
async def test_a_change_in_between_is_not_overwritten(client: Client):
    await client.onboarded()
    await later(client)
    known = await client.ctx.ledger.connection("dvls-prod")
    assert known is not None
    other = changed(known.spec, Change(fields={"owner": "cleo@contoso.com"}))

    async def meanwhile(name: str, was: Any, **parts: Any) -> bool:
        await client.ctx.ledger.amend("dvls-prod", spec=other)
        return await type(client.ctx.ledger).exchange(client.ctx.ledger, name, was, **parts)

    client.ctx.ledger.exchange = meanwhile  # type: ignore[method-assign]
    answer = await patch(client, {"owner": "ben@contoso.com"})
    assert (answer.status, answer.problems) == (409, [("connection", "CONFIG_CONFLICT")])
    assert (await stored(client))["owner"] == "cleo@contoso.com"


async def test_a_repeat_brings_a_lost_start_about(client: Client):
    await client.onboarded()
    await later(client)
    client.ctx.tenant.fail("ledger.begin", RuntimeError("killed"))
    with pytest.raises(RuntimeError, match="killed"):
        await patch(client, {"owner": "ben@contoso.com"})
    await later(client)
    answer = await patch(client, {"owner": "ben@contoso.com"})
    assert answer.status == 202
    assert len(client.ctx.outbox.sent) == 2


BAD: tuple[tuple[Any, str, str], ...] = (
    ({}, "features", "INPUT_MISSING"),
    ({"name": "other"}, "name", "FIELD_UNKNOWN"),
    ({"profile": "pam360"}, "profile", "FIELD_UNKNOWN"),
    ({"approval": {"reason": "x"}}, "approval", "FIELD_UNKNOWN"),
    ({"permissions": ["Directory.ReadWrite.All"]}, "permissions", "FIELD_UNKNOWN"),
    ({"features": {"teleport": True}}, "features.teleport", "FEATURE_UNKNOWN"),
    ({"features": ["discovery"]}, "features", "INPUT_INVALID"),
    ({"inputs": None}, "inputs", "INPUT_INVALID"),
    ({"inputs": {"search_mode": "users"}}, "inputs.search_mode", "INPUT_INVALID"),
    ({"inputs": {"provider_name": None}}, "inputs.provider_name", "INPUT_MISSING"),
    ({"accept_swaps": ["User.Read.All"]}, "accept_swaps[0]", "SWAP_UNKNOWN"),
    ({"owner": 7}, "owner", "INPUT_INVALID"),
    ({"owner": "x", "dry_run": "yes"}, "dry_run", "INPUT_INVALID"),
    (b"{", "", "NOT_JSON"),
)


@pytest.mark.parametrize(("body", "field", "code"), BAD, ids=str)
async def test_bad_changes_change_nothing(client: Client, body: Any, field: str, code: str):
    await client.onboarded()
    before = await stored(client)
    answer = await patch(client, body)
    assert answer.status in (400, 422)
    assert (field, code) in answer.problems
    assert await stored(client) == before
    assert len(client.ctx.outbox.sent) == 1


async def test_only_operators_change(client: Client):
    await client.onboarded()
    answer = await client.acting(EVE).patch(ONE, {"owner": "x"})
    assert answer.status == 403


async def test_what_is_not_there_cannot_be_changed(client: Client):
    answer = await client.acting(ANA).patch(ONE, {"owner": "x"})
    assert (answer.status, answer.problems) == (404, [("name", "CONNECTION_UNKNOWN")])
