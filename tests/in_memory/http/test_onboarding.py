"""POST connections: one operation, whatever is repeated, lost, or sent twice at once."""

import asyncio

import pytest

from shared.errors import TryLater
from tests.bad_input import Row
from tests.bad_input.http_bodies import GOOD, ROWS
from tests.in_memory.http.client import Client

URL = "/api/connections"


@pytest.mark.requirement("X-01")
@pytest.mark.slow
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
async def test_bad_bodies_change_nothing(client: Client, row: Row):
    answer = await client.post(URL, row.body)
    assert answer.status in (400, 413, 422)
    assert (row.field, row.code) in answer.problems
    assert client.ctx.outbox.sent == []
    assert await client.ctx.ledger.connections() == []


@pytest.mark.requirement("X-01")
async def test_a_good_request_starts_onboarding(client: Client):
    answer = await client.post(URL, GOOD)
    assert answer.status == 202
    assert answer.headers["Location"] == "/api/connections/dvls-prod"
    assert answer.json == {
        "name": "dvls-prod",
        "operation": answer.json["operation"],
        "state": "running",
        "status_url": "/api/connections/dvls-prod",
    }
    [sent] = client.ctx.outbox.sent
    assert (sent.step, sent.message.kind) == ("registration", "onboard")
    assert sent.message.operation == answer.json["operation"]
    operation = await client.operation(answer.json["operation"])
    assert operation.asked_by == "ana@contoso.com"
    [row] = await client.ctx.ledger.history("dvls-prod")
    assert (row["what"], row["by"]) == ("connection.requested", "ana@contoso.com")


async def test_a_repeat_joins_what_is_going_on(client: Client):
    first = await client.post(URL, GOOD)
    again = await client.post(URL, dict(reversed(GOOD.items())))
    assert again.status == 200
    assert again.json == first.json
    assert len(client.ctx.outbox.sent) == 1


async def test_a_repeat_after_success_does_nothing(client: Client):
    done = await client.onboarded()
    answer = await client.post(URL, GOOD)
    assert (answer.status, answer.json["operation"]) == (200, done.id)
    assert answer.json["state"] == "succeeded"
    assert len(client.ctx.outbox.sent) == 1


async def test_a_repeat_after_trouble_tries_again(client: Client):
    first = await client.post(URL, GOOD)
    await client.stop(first.json["operation"])
    again = await client.post(URL, GOOD)
    assert again.status == 202
    assert again.json["operation"] != first.json["operation"]
    assert client.ctx.outbox.steps() == ["registration", "registration"]
    await client.stop(again.json["operation"])
    third = await client.post(URL, GOOD)
    assert third.json["operation"] not in (first.json["operation"], again.json["operation"])


async def test_another_body_of_the_same_name_is_refused(client: Client):
    await client.post(URL, GOOD)
    answer = await client.post(URL, {**GOOD, "owner": "eve@contoso.com"})
    assert answer.status == 409
    assert answer.problems == [("name", "NAME_TAKEN")]
    assert "owner" in answer.json["detail"]
    assert len(client.ctx.outbox.sent) == 1


async def test_two_at_once_make_one_operation(client: Client):
    answers = await asyncio.gather(*(client.post(URL, GOOD) for _ in range(5)))
    assert {answer.status for answer in answers} <= {200, 202}
    assert len({answer.json["operation"] for answer in answers}) == 1
    assert len(await client.ctx.ledger.operations("dvls-prod")) == 1


async def test_two_retries_at_once_make_one_operation(client: Client):
    first = await client.post(URL, GOOD)
    await client.stop(first.json["operation"])
    answers = await asyncio.gather(*(client.post(URL, GOOD) for _ in range(5)))
    assert len({answer.json["operation"] for answer in answers}) == 1
    assert len(await client.ctx.ledger.operations("dvls-prod")) == 2


@pytest.mark.parametrize("after_effect", [False, True])
@pytest.mark.parametrize(
    "method",
    [
        "ledger.create",
        "ledger.connection",
        "ledger.record",
        "ledger.set_due",
        "ledger.begin",
        "ledger.operation",
        "outbox.send",
    ],
)
async def test_a_crash_anywhere_heals_on_repeat(client: Client, method: str, *, after_effect: bool):
    client.ctx.tenant.fail(method, RuntimeError("killed"), after_effect=after_effect)
    with pytest.raises(RuntimeError, match="killed"):
        await client.post(URL, GOOD)
    answer = await client.post(URL, GOOD)
    assert answer.status in (200, 202)
    [operation] = await client.ctx.ledger.operations("dvls-prod")
    assert operation.id == answer.json["operation"]
    if not client.ctx.outbox.sent:  # begun, not sent: swept when due, or sent by a later repeat
        assert "resume" in await client.ctx.ledger.due_times("dvls-prod")
        client.ctx.clock.advance(minutes=3)
        await client.post(URL, GOOD)
    assert {sent.message.operation for sent in client.ctx.outbox.sent} == {operation.id}


async def test_another_kind_of_operation_is_in_the_way(client: Client):
    first = await client.post(URL, GOOD)
    await client.stop(first.json["operation"])
    from tests.in_memory.http.client import FACTS

    await client.ctx.ledger.amend("dvls-prod", facts=FACTS)
    rotation = await client.post(f"{URL}/dvls-prod/rotation")
    assert rotation.status == 202
    answer = await client.post(URL, GOOD)
    assert answer.status == 409
    assert answer.problems == [("connection", "OPERATION_RUNNING")]
    assert answer.json["operation"] == rotation.json["operation"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 415),
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "application/x-www-form-urlencoded"}, 415),
        ({"content-type": "application/json; charset=utf-16"}, 415),
        ({"content-type": "application/json-patch+json"}, 415),
        ({"content-type": "Application/JSON ; charset=UTF-8"}, 202),
        ({"content-type": 'application/json;charset="utf-8"'}, 202),
    ],
)
async def test_content_types(client: Client, headers: dict[str, str], status: int):
    answer = await client.post(URL, GOOD, headers)
    assert answer.status == status
    if status == 415:
        assert answer.problems == [("", "CONTENT_TYPE_UNKNOWN")]


async def test_a_dependency_that_is_not_ready_is_told(client: Client):
    client.ctx.tenant.fail("ledger.create", TryLater("STORAGE_BUSY", "the table is throttled"))
    answer = await client.post(URL, GOOD)
    assert answer.status == 503
    assert answer.headers["Retry-After"] == "30"
    assert answer.problems == [("", "STORAGE_BUSY")]


async def test_the_list_of_connections(client: Client):
    for name in ("gamma", "alpha", "beta"):
        await client.post(URL, {**GOOD, "name": name})
    first = await client.get(f"{URL}?limit=2")
    assert [row["name"] for row in first.json["connections"]] == ["alpha", "beta"]
    rest = await client.get(first.json["next"])
    assert [row["name"] for row in rest.json["connections"]] == ["gamma"]
    assert rest.json["next"] is None
