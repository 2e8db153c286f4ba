"""`DELETE /api/connections/{name}`: who may, when, and what every other call answers after it."""

from typing import Any

import pytest

from shared.model.connection import Offboarding
from tests.bad_input.http_bodies import GOOD
from tests.bad_input.wanted import encoded
from tests.in_memory.http.client import EVE, JSON, Answer, Client, principal

pytestmark = pytest.mark.requirement("X-18")

URL = "/api/connections/dvls-prod"
WHY = {"reason": "the product was replaced"}
READER = principal("ray@contoso.com", "Reader")


async def delete(client: Client, body: Any = WHY) -> Answer:
    content = body if isinstance(body, bytes) else encoded(body)
    return await client.send("DELETE", URL, content, JSON)


async def ended(client: Client, *, finished: bool = True) -> None:
    now = client.ctx.clock.now()
    mark = Offboarding(by="ana", reason="gone", asked=now, finished=now if finished else None)
    await client.ctx.ledger.amend("dvls-prod", offboarding=mark)


async def test_it_is_accepted_and_audited_with_who_and_why(client: Client) -> None:
    await client.onboarded()
    answer = await delete(client)
    assert answer.status == 202 and answer.headers["Location"] == URL
    operation = await client.operation(answer.json["operation"])
    assert (operation.kind, operation.state) == ("offboard", "running")
    rows = await client.ctx.ledger.history("dvls-prod")
    (row,) = [row for row in rows if row["what"] == "offboarding.requested"]
    assert row["by"] == "ana@contoso.com" and row["principal"] == "id-of-ana@contoso.com"
    assert row["reason"] == WHY["reason"] and row["operation"] == operation.id
    shown = (await client.get(URL)).json
    assert shown["offboarding"]["reason"] == WHY["reason"]
    assert shown["offboarding"]["finished"] is None
    assert (await delete(client)).json["operation"] == operation.id


@pytest.mark.parametrize("caller", [EVE, READER])
async def test_it_needs_an_operator(client: Client, caller: dict[str, str]) -> None:
    await client.onboarded()
    answer = await delete(client.acting(caller))
    assert answer.status == 403 and answer.problems == [("", "FORBIDDEN")]
    assert (await client.get(URL)).json["offboarding"] is None


@pytest.mark.parametrize(
    ("body", "status", "problem"),
    [
        (b"", 400, ("", "NOT_JSON")),
        ({}, 422, ("reason", "INPUT_MISSING")),
        ({"reason": ""}, 422, ("reason", "INPUT_MISSING")),
        ({"reason": 1}, 422, ("reason", "INPUT_INVALID")),
        ({"reason": "x" * 1001}, 422, ("reason", "INPUT_INVALID")),
        ({"reason": "x", "purge": True}, 422, ("purge", "FIELD_UNKNOWN")),
    ],
)
async def test_without_a_reason_nothing_is_begun(
    client: Client, body: Any, status: int, problem: tuple[str, str]
) -> None:
    begun = await client.onboarded()
    answer = await delete(client, body)
    assert answer.status == status and answer.problems == [problem]
    assert [run.id for run in await client.ctx.ledger.operations("dvls-prod")] == [begun.id]


async def test_it_waits_for_no_other_operation(client: Client) -> None:
    made = await client.post("/api/connections", GOOD)
    assert made.status == 202
    answer = await delete(client)
    assert answer.status == 409 and answer.problems == [("connection", "OPERATION_RUNNING")]
    assert answer.json["operation"] == made.json["operation"]


async def test_there_is_nothing_to_offboard(client: Client) -> None:
    assert (await delete(client)).status == 404
    await client.onboarded()
    await ended(client)
    answer = await delete(client)
    assert answer.status == 410 and answer.problems == [("connection", "OFFBOARDED")]


WORK = (
    ("PATCH", "", {"owner": "eve@contoso.example"}),
    ("POST", "/rotation", {}),
    ("POST", "/verification", {}),
    ("POST", "/discovery", {}),
    ("POST", "/handover/acknowledgement", {}),
    ("GET", "/handover", None),
)


@pytest.mark.parametrize(("status", "code"), [(410, "OFFBOARDED"), (409, "OFFBOARDING")])
@pytest.mark.parametrize(("method", "path", "body"), WORK)
async def test_no_other_work_is_taken(
    client: Client, method: str, path: str, body: Any, status: int, code: str
) -> None:
    await client.onboarded()
    finished = code == "OFFBOARDED"
    await ended(client, finished=finished)
    content = encoded(body) if body is not None else b""
    answer = await client.send(method, URL + path, content, JSON if content else {})
    assert answer.status == status and answer.problems == [("connection", code)]
    hint = answer.json["problems"][0]["hint"]
    assert ("POST /api/connections" if finished else "DELETE") in hint


async def test_nobody_approves_what_is_offboarded(client: Client) -> None:
    await client.onboarded()
    await ended(client)
    body = {"reason": "reviewed"}
    answer = await client.acting(EVE).post(f"{URL}/approval", body)
    assert answer.status == 410 and answer.problems == [("connection", "OFFBOARDED")]


async def test_it_is_listed_as_such_and_its_history_can_be_read(client: Client) -> None:
    await client.onboarded()
    await ended(client)
    (line,) = (await client.get("/api/connections")).json["connections"]
    assert line["offboarded"] and line["attention"] == []
    assert (await client.get(URL)).json["offboarding"]["by"] == "ana"
    history = await client.get(f"{URL}/history")
    assert history.status == 200 and history.json["entries"]


async def test_a_request_for_its_name_waits_for_the_end(client: Client) -> None:
    await client.onboarded()
    await ended(client, finished=False)
    body = {**GOOD, "name": "dvls-prod"}
    early = await client.post("/api/connections", body)
    assert early.status == 409 and early.problems == [("connection", "OFFBOARDING")]
    await ended(client)
    client.ctx.clock.advance(days=1)
    again = await client.post("/api/connections", {**body, "owner": "eve@contoso.example"})
    assert again.status == 202
    shown = (await client.get(URL)).json
    assert shown["offboarding"] is None and shown["owner"] == "eve@contoso.example"
