"""Findings by HTTP: listed with filters and pages, decided by approvers who are somebody else."""

from typing import Any

import pytest

from shared.model.finding import Actor, Finding, Item, Observed, What
from shared.planning.findings import fingerprint
from tests.in_memory.http.client import ANA, EVE, Client, principal

pytestmark = pytest.mark.requirement("X-08", "X-17")

NAME = "dvls-prod"
URL = f"/api/connections/{NAME}/findings"
ACCEPT = {"decision": "accept", "reason": "CHG-9"}
REMOVE = {"decision": "remove", "reason": "CHG-9"}
RAY = principal("ray@contoso.com", "Reader")


def finding(client: Client, id_: str = "p-1", **more: Any) -> Finding:
    item = Item(what=What.APPLICATION, id=id_, api="00000003-0000-0000-c000-000000000000")
    seen = Observed(
        item=more.pop("item", item),
        verdict=more.pop("verdict", "extra"),
        code="EXTRA_PERMISSION",
        name=f"Mail.{id_}",
        remedy="remove it",
    )
    now = client.ctx.clock.now()
    return Finding(
        fingerprint=fingerprint(NAME, seen),
        item=seen.item,
        verdict=seen.verdict,
        code=seen.code,
        name=seen.name,
        remedy=seen.remedy,
        risk="indirect",
        first_seen=now,
        last_seen=now,
        **more,
    )


async def known(client: Client, *found: Finding) -> None:
    await client.onboarded()
    await client.ctx.ledger.amend(NAME, findings=found)


async def history(client: Client) -> list[dict[str, Any]]:
    rows = (await client.get(f"/api/connections/{NAME}/history")).json["entries"]
    return [row["data"] for row in rows if row["what"] == "finding.decided"]


async def test_findings_are_listed_for_one_and_for_all(client: Client):
    one = finding(client)
    await known(client, one)
    (shown,) = (await client.acting(RAY).get(URL)).json["findings"]
    assert (shown["state"], shown["verdict"], shown["risk"]) == ("open", "extra", "indirect")
    assert shown["fingerprint"] == one.fingerprint
    assert shown["choices"] == ["accept", "remove"]
    assert shown["api"].startswith("microsoft-graph (")
    assert (await client.acting(RAY).get("/api/findings")).json["findings"] == [shown]
    connection = (await client.get(f"/api/connections/{NAME}")).json
    assert connection["findings"] == {"open": 1}


async def test_filters_and_pages(client: Client):
    closed = finding(client, "closed", closed=client.ctx.clock.now(), closed_why="gone")
    await known(client, closed, *(finding(client, str(n)) for n in range(5)))
    for url in (URL, "/api/findings"):
        first = (await client.get(f"{url}?state=open&limit=2")).json
        second = (await client.get(first["next"])).json
        third = (await client.get(second["next"])).json
        pages = [first, second, third]
        assert [len(page["findings"]) for page in pages] == [2, 2, 1]
        assert third["next"] is None
        assert len({row["fingerprint"] for page in pages for row in page["findings"]}) == 5
        (gone,) = (await client.get(f"{url}?state=closed")).json["findings"]
        assert (gone["closed_why"], gone["choices"]) == ("gone", [])
        assert len((await client.get(url)).json["findings"]) == 6
        for query in ("state=shut", "after=nothing", "limit=0", "stat=open"):
            assert (await client.get(f"{url}?{query}")).status == 400


async def test_nothing_is_found_where_nothing_is(client: Client):
    assert (await client.get(URL)).problems == [("name", "CONNECTION_UNKNOWN")]
    assert (await client.get("/api/findings")).json == {"findings": [], "next": None}


async def test_an_acceptance_is_kept_with_who_and_why(client: Client):
    one = finding(client)
    await known(client, one)
    url = f"{URL}/{one.fingerprint}/decision"
    answer = await client.acting(EVE).post(url, {**ACCEPT, "until": "2027-01-31"})
    assert answer.status == 202
    assert answer.json["finding"]["state"] == "approved"
    made = answer.json["finding"]["decision"]
    assert (made["by"], made["principal"]) == ("eve@contoso.com", "id-of-eve@contoso.com")
    assert (made["reason"], made["until"]) == ("CHG-9", "2027-01-31")
    operation = await client.operation(answer.json["operation"])
    assert (operation.kind, operation.asked_by) == ("verify", "eve@contoso.com")
    again = await client.acting(EVE).post(url, {**ACCEPT, "until": "2027-01-31"})
    assert again.json["operation"] == answer.json["operation"]
    (row,) = await history(client)
    assert (row["by"], row["decision"], row["fingerprint"]) == (
        "eve@contoso.com",
        "accept",
        one.fingerprint,
    )


async def test_another_decision_takes_the_place_of_the_first(client: Client):
    one = finding(client)
    await known(client, one)
    url = f"{URL}/{one.fingerprint}/decision"
    await client.acting(EVE).post(url, ACCEPT)
    answer = await client.acting(EVE).post(url, REMOVE)
    assert answer.json["finding"]["state"] == "removing"
    assert [row["decision"] for row in await history(client)] == ["accept", "remove"]


@pytest.mark.parametrize("caller", [ANA, RAY], ids=["operator", "reader"])
async def test_only_approvers_decide(client: Client, caller: dict[str, str]):
    one = finding(client)
    await known(client, one)
    answer = await client.acting(caller).post(f"{URL}/{one.fingerprint}/decision", ACCEPT)
    assert (answer.status, answer.problems) == (403, [("", "FORBIDDEN")])


async def test_nobody_decides_about_their_own_request_or_change(client: Client):
    actor = Actor(name="eve", id="id-of-eve@contoso.com", activity="x", at=client.ctx.clock.now())
    one, other = finding(client), finding(client, "hers", actor=actor)
    await known(client, one, other)
    max_ = client.acting(principal("max@contoso.com", "Approver"))
    refused = await client.acting(EVE).post(f"{URL}/{other.fingerprint}/decision", ACCEPT)
    assert (refused.status, refused.problems) == (403, [("decision", "SELF_APPROVAL")])
    assert (await max_.post(f"{URL}/{other.fingerprint}/decision", ACCEPT)).status == 202
    await client.ctx.ledger.amend(NAME, requested_by="id-of-max@contoso.com")
    refused = await max_.post(f"{URL}/{one.fingerprint}/decision", ACCEPT)
    assert refused.problems == [("decision", "SELF_APPROVAL")]


@pytest.mark.diagnosis(
    "FINDING_UNKNOWN", "FINDING_CLOSED", "FINDING_NOT_ACCEPTABLE", "FINDING_NOT_REMOVABLE"
)
async def test_what_cannot_be_decided(client: Client):
    secret = Item(what=What.SECRET, id="k-1")
    missing = finding(client, "missing", verdict="missing")
    foreign = finding(client, "foreign", verdict="foreign")
    stray = finding(client, "stray", verdict="foreign", item=secret)
    closed = finding(client, "closed", closed=client.ctx.clock.now(), closed_why="gone")
    await known(client, missing, foreign, stray, closed)
    eve = client.acting(EVE)
    for one, body, status, code in (
        (missing, ACCEPT, 409, "FINDING_NOT_ACCEPTABLE"),
        (missing, REMOVE, 409, "FINDING_NOT_REMOVABLE"),
        (foreign, REMOVE, 409, "FINDING_NOT_REMOVABLE"),
        (stray, REMOVE, 409, "FINDING_NOT_REMOVABLE"),
        (closed, ACCEPT, 409, "FINDING_CLOSED"),
        (replaced(closed), ACCEPT, 404, "FINDING_UNKNOWN"),
    ):
        answer = await eve.post(f"{URL}/{one.fingerprint}/decision", body)
        assert (answer.status, answer.problems[0][1]) == (status, code)
    assert client.ctx.outbox.steps() == ["registration"]  # of the onboarding


def replaced(finding: Finding) -> Finding:
    from msgspec.structs import replace

    return replace(finding, fingerprint="0" * 32)


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({}, "decision", "INPUT_MISSING"),
        ({"decision": "accept"}, "reason", "INPUT_MISSING"),
        ({"decision": "ignore", "reason": "x"}, "decision", "INPUT_INVALID"),
        ({"decision": ["accept"], "reason": "x"}, "decision", "INPUT_INVALID"),
        ({**ACCEPT, "reason": 7}, "reason", "INPUT_INVALID"),
        ({**ACCEPT, "reason": "x" * 301}, "reason", "INPUT_INVALID"),
        ({**ACCEPT, "until": "soon"}, "until", "INPUT_INVALID"),
        ({**ACCEPT, "until": "20270131"}, "until", "INPUT_INVALID"),
        ({**ACCEPT, "until": 20270131}, "until", "INPUT_INVALID"),
        ({**ACCEPT, "until": "2025-01-31"}, "until", "INPUT_INVALID"),
        ({**REMOVE, "until": "2027-01-31"}, "until", "INPUT_INVALID"),
        ({**ACCEPT, "by": "ana"}, "by", "FIELD_UNKNOWN"),
        (b"{", "", "NOT_JSON"),
    ],
)
async def test_bad_bodies_are_refused_by_field(client: Client, body: Any, field: str, code: str):
    one = finding(client)
    await known(client, one)
    answer = await client.acting(EVE).post(f"{URL}/{one.fingerprint}/decision", body)
    assert answer.status in (400, 422)
    assert (field, code) in answer.problems
    connection = await client.ctx.ledger.connection(NAME)
    assert connection is not None and connection.decisions == {}


async def test_while_another_operation_runs_the_decision_is_kept_and_due(client: Client):
    one = finding(client)
    await known(client, one)
    running = await client.post(f"/api/connections/{NAME}/verification", {})
    assert running.status == 202
    answer = await client.acting(EVE).post(f"{URL}/{one.fingerprint}/decision", REMOVE)
    assert (answer.status, answer.json["operation"]) == (200, "")
    assert answer.json["finding"]["state"] == "removing"
    due = await client.ctx.ledger.due_times(NAME)
    assert due["verify"] == client.ctx.clock.now()
