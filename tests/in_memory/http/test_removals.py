"""Removals that a scan held: listed, approved, dropped."""

import csv
import io
from typing import Any

import pytest

from shared.model.scan import APPROVE, DROP
from tests.in_memory.discovery.holding import scanned
from tests.in_memory.http.client import ANA, EVE, SIGN_IN, Client, principal

NAME = "dvls-prod"
URL = f"/api/connections/{NAME}/discoveries/run-2/removals"
GONE = {"decision": APPROVE, "reason": "CHG-7: the contractors have left"}
STAY = {"decision": DROP, "reason": "the group was emptied by mistake"}


@pytest.fixture(autouse=True)
def _platform_auth(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SIGN_IN.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
async def held(client: Client) -> Client:
    await client.onboarded()
    await scanned(client.ctx, NAME, "run-1", range(6))
    await scanned(client.ctx, NAME, "run-2", range(2), hold=True)
    return client


async def test_what_waits_is_listed_page_by_page(held: Client):
    url, seen = f"{URL}?limit=3", []
    while url:
        answer = await held.get(url)
        assert answer.json["losses"]["accounts"] == 4
        seen += [(row["kind"], row["id"], row["name"]) for row in answer.json["rows"]]
        url = answer.json["next"]
    assert seen == [("user", f"id-{n}", f"user{n}@contoso.com") for n in range(2, 6)]
    shown = (await held.get(f"/api/connections/{NAME}/discoveries")).json["held"]
    assert (shown["operation"], shown["losses"]["accounts"]) == ("run-2", 4)


async def test_as_a_file(held: Client):
    answer = await held.get(f"{URL}?format=csv&limit=2")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert [row["id"] for row in rows] == ["id-2", "id-3"]
    link = answer.headers["Link"][1:].partition(">")[0]
    rest = await held.get(link)
    assert [row["id"] for row in csv.DictReader(io.StringIO(rest.content.decode()))] == [
        "id-4",
        "id-5",
    ]


@pytest.mark.parametrize("body", [GONE, STAY])
async def test_a_decision_starts_an_operation_and_is_on_record(held: Client, body: dict[str, Any]):
    answer = await held.acting(EVE).post(URL, body)
    assert answer.status == 202, answer.content
    operation = await held.operation(answer.json["operation"])
    assert operation.kind == "discover"
    assert operation.options == (body["decision"], "run-2")
    rows = await held.ctx.ledger.history(NAME)
    (row,) = [row for row in rows if row["what"] == "removals.decided"]
    assert (row["decision"], row["reason"], row["accounts"]) == (
        body["decision"],
        body["reason"],
        4,
    )


@pytest.mark.diagnosis("FORBIDDEN")
async def test_only_an_approver_decides(held: Client):
    for body in (GONE, STAY):
        answer = await held.acting(ANA).post(URL, body)
        assert (answer.status, answer.problems) == (403, [("", "FORBIDDEN")])
    assert (await held.ctx.account_store.held(NAME)) is not None


async def test_nobody_approves_for_the_connection_they_asked_for(client: Client):
    both = client.acting(principal("ana@contoso.com", "Operator", "Approver"))
    await both.onboarded()
    await scanned(client.ctx, NAME, "run-1", range(6))
    await scanned(client.ctx, NAME, "run-2", range(2), hold=True)
    answer = await both.post(URL, GONE)
    assert (answer.status, answer.problems) == (403, [("decision", "SELF_APPROVAL")])
    assert (await both.post(URL, STAY)).status == 202  # nothing is lost by that


@pytest.mark.diagnosis("REMOVALS_UNKNOWN")
@pytest.mark.parametrize("operation", ["run-1", "nothing"])
async def test_what_is_not_held_cannot_be_decided(held: Client, operation: str):
    url = URL.replace("run-2", operation)
    listed, decided = await held.get(url), await held.acting(EVE).post(url, GONE)
    for answer in (listed, decided):
        assert (answer.status, answer.problems) == (404, [("operation", "REMOVALS_UNKNOWN")])


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"reason": "x"}, ("decision", "INPUT_MISSING")),
        ({"decision": "maybe", "reason": "x"}, ("decision", "INPUT_INVALID")),
        ({"decision": ["drop"], "reason": "x"}, ("decision", "INPUT_INVALID")),
        ({"decision": DROP}, ("reason", "INPUT_MISSING")),
        ({**STAY, "until": "2027-01-01"}, ("until", "FIELD_UNKNOWN")),
    ],
)
async def test_bad_bodies(held: Client, body: object, problem: tuple[str, str]):
    answer = await held.acting(EVE).post(URL, body)
    assert (answer.status, answer.problems) == (422, [problem])


async def test_not_while_another_operation_runs(held: Client):
    assert (await held.post(f"/api/connections/{NAME}/discovery")).status == 202
    answer = await held.acting(EVE).post(URL, GONE)
    assert answer.status == 409
    rows = await held.ctx.ledger.history(NAME)
    assert "removals.decided" not in {row["what"] for row in rows}
