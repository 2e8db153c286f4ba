"""Entities, links and changes of discovery; full runs, and what a request says of the schedule."""

import csv
import io
import json

import pytest

from shared.model.accounts import Summary
from shared.model.entities import KINDS, Entity, Findings, Link
from shared.model.scan import SourceProgress
from shared.operations import FULL_RUN
from tests.fakes.published import publish, source
from tests.in_memory.http.client import Client
from tests.in_memory.http.test_accounts import account

URL = "/api/connections/dvls-prod"
GROUP = Entity(kind="group", id="group-1", display_name="Staff", attributes={"mail": "s@c.com"})
ROLE = Entity(kind="directoryRole", id="role-1", display_name="=Reader")
MEMBER = Link(kind="members", of="group", source="group-1", target="id-0", target_kind="user")
OWNER = Link(kind="owners", of="group", source="group-1", target="id-1", target_kind="user")


async def store(
    client: Client, operation: str, pages: dict[str, Findings], *sources: SourceProgress
) -> None:
    client.ctx.clock.advance(minutes=1)
    now = client.ctx.clock.now()
    summary = Summary(
        operation=operation,
        connection="dvls-prod",
        state="succeeded",
        mode="all",
        started=now,
        finished=now,
    )
    await publish(client.ctx.account_store, summary, pages, *sources)


@pytest.fixture
async def found(client: Client) -> Client:
    await client.onboarded()
    pages = {
        "user": Findings(rows=(account(0), account(1))),
        "group": Findings(rows=(GROUP,), links=(MEMBER, OWNER)),
        "directoryRole": Findings(rows=(ROLE,)),
    }
    await store(client, "run-1", pages)
    return client


@pytest.mark.requirement("N-20")
async def test_every_kind_over_pages(found: Client):
    url, seen = f"{URL}/entities?limit=3", []
    while url:
        answer = await found.get(url)
        seen += [(row["kind"], row["id"]) for row in answer.json["entities"]]
        url = answer.json["next"]
    assert seen == [
        ("user", "id-0"),
        ("user", "id-1"),
        ("group", "group-1"),
        ("directoryRole", "role-1"),
    ]
    assert answer.json["cursor"] == "1"


async def test_one_kind(found: Client):
    users = (await found.get(f"{URL}/entities?kind=user")).json["entities"]
    assert users[0]["attributes"]["userPrincipalName"] == "user0@contoso.com"
    groups = (await found.get(f"{URL}/entities?kind=group")).json["entities"]
    assert groups == [
        {
            "kind": "group",
            "id": "group-1",
            "display_name": "Staff",
            "attributes": {"mail": "s@c.com"},
        }
    ]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["id-0", "id-1"]),
        ("?kind=owners", ["id-1"]),
        ("?target=id-0", ["id-0"]),
        ("?source=group-1&kind=members", ["id-0"]),
        ("?source=nobody", []),
    ],
)
async def test_links(found: Client, query: str, expected: list[str]):
    answer = await found.get(f"{URL}/links{query}")
    assert [link["target"] for link in answer.json["links"]] == expected


async def test_files(found: Client):
    answer = await found.get(f"{URL}/entities?kind=directoryRole", accept="text/csv")
    (row,) = csv.DictReader(io.StringIO(answer.content.decode()))
    assert row["display_name"] == "'=Reader"
    answer = await found.get(f"{URL}/links?format=csv")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert [row["kind"] for row in rows] == ["members", "owners"]
    answer = await found.get(f"{URL}/entities?format=ndjson")
    assert len([json.loads(line) for line in answer.content.splitlines()]) == 4


@pytest.mark.requirement("N-21")
async def test_changes_are_read_on_from_a_cursor(found: Client):
    everything = (await found.get(f"{URL}/changes")).json
    assert len(everything["changes"]) == 6
    assert (everything["cursor"], everything["more"]) == ("1", False)
    later = {"user": Findings(rows=(account(0, enabled=False),), gone=("id-1",))}
    kinds = ("user", "group", "directoryRole")
    await store(found, "run-2", later, *(source(kind, full=False) for kind in kinds))

    url, told = f"{URL}/changes?limit=1&after=1", []
    while True:
        answer = (await found.get(url)).json
        told += [(row["command"], row["kind"], row["id"]) for row in answer["changes"]]
        url = f"{URL}/changes?limit=1&after={answer['cursor']}"
        if not answer["more"]:
            break
    assert told == [
        ("update", "user", "id-0"),
        ("delete", "user", "id-1"),
        ("delete", "owners", "owners/group-1/id-1"),
    ]
    assert answer["cursor"] == "2"
    assert (await found.get(f"{URL}/changes?after=2")).json["changes"] == []
    lines = await found.get(f"{URL}/changes?after=1&format=ndjson")
    first = json.loads(lines.content.splitlines()[0])
    assert first["row"]["enabled"] is False
    assert lines.headers["X-Cursor"] == "2"


async def test_before_the_first_discovery(client: Client):
    await client.onboarded()
    assert (await client.get(f"{URL}/entities")).json["entities"] == []
    changes = (await client.get(f"{URL}/changes")).json
    assert changes == {
        "connection": "dvls-prod",
        "changes": [],
        "cursor": "0",
        "more": False,
    }


@pytest.mark.parametrize(
    ("query", "status", "problem"),
    [
        ("entities?kind=device", 400, ("kind", "INPUT_INVALID")),
        ("links?kind=managers", 400, ("kind", "INPUT_INVALID")),
        ("entities?after=id-1", 400, ("after", "INPUT_INVALID")),
        ("changes?after=x", 400, ("after", "INPUT_INVALID")),
        ("changes?after=1.2.3", 400, ("after", "INPUT_INVALID")),
        ("changes?after=-1", 400, ("after", "INPUT_INVALID")),
        ("changes?after=7", 410, ("after", "CURSOR_GONE")),
        ("changes?format=csv", 400, ("format", "INPUT_INVALID")),
    ],
)
async def test_bad_queries(found: Client, query: str, status: int, problem: tuple[str, str]):
    answer = await found.get(f"{URL}/{query}")
    assert (answer.status, answer.problems) == (status, [problem])


@pytest.mark.requirement("N-21")
@pytest.mark.parametrize(
    ("body", "reason"),
    [(b"", "requested"), ({}, "requested"), ({"force_full": True}, FULL_RUN)],
)
async def test_a_full_run_is_asked_for(found: Client, body: object, reason: str):
    answer = await found.post(f"{URL}/discovery", body)
    assert answer.status == 202
    assert (await found.operation(answer.json["operation"])).reason == reason


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"force_full": "yes"}, ("force_full", "INPUT_INVALID")),
        ({"full": True}, ("full", "FIELD_UNKNOWN")),
    ],
)
async def test_bad_bodies(found: Client, body: object, problem: tuple[str, str]):
    answer = await found.post(f"{URL}/discovery", body)
    assert (answer.status, answer.problems) == (422, [problem])


@pytest.mark.requirement("D-13", "D-37")
async def test_the_definition_is_shown_with_the_next_run(found: Client):
    due = found.ctx.clock.now()
    await found.ctx.ledger.set_due("discover", "dvls-prod", due)
    definition = (await found.get(f"{URL}/discoveries")).json["definition"]
    assert definition["mode"] == "roles"
    assert definition["every"] == "P1D"
    assert definition["start_on_save"] is True
    assert definition["result_state"] == "review"
    assert definition["next"].startswith(due.isoformat()[:19])


@pytest.mark.requirement("D-33")
@pytest.mark.diagnosis("DISCOVERY_STUCK")
async def test_runs_tell_whether_they_still_run(found: Client):
    async def newest() -> tuple[str, str]:
        run = (await found.get(f"{URL}/discoveries")).json["discoveries"][0]
        return run["state"], run["why"]

    found.ctx.clock.advance(minutes=1)
    operation = (await found.post(f"{URL}/discovery")).json["operation"]
    running = Summary(
        operation=operation,
        connection="dvls-prod",
        state="running",
        mode="all",
        started=found.ctx.clock.now(),
    )
    await found.ctx.account_store.note(running)
    assert await newest() == ("running", "")
    found.ctx.clock.advance(hours=5)
    state, why = await newest()
    assert state == "running"
    assert why.startswith("DISCOVERY_STUCK: The scan that began at")
    await found.stop(operation)
    assert await newest() == ("failed", "Its operation ended before the scan did.")


NETWRIX = {
    "name": "nim",
    "profile": "netwrix-identity-manager",
    "inputs": {"organization": "Contoso", "connection_id": "Main"},
}


@pytest.mark.requirement("D-37", "N-23")
@pytest.mark.diagnosis("ATTRIBUTE_NOT_LISTABLE")
@pytest.mark.parametrize(
    ("inputs", "problem"),
    [
        ({"scan_every": "PT5M30S"}, ("inputs.scan_every", "INPUT_INVALID")),
        ({"scan_start": "soon"}, ("inputs.scan_start", "INPUT_INVALID")),
        ({"attributes": ["aboutMe"]}, ("inputs.attributes", "ATTRIBUTE_NOT_LISTABLE")),
        ({"attributes": ["shoeSize"]}, ("inputs.attributes", "INPUT_INVALID")),
    ],
)
async def test_what_a_scan_would_refuse_is_refused_at_once(
    client: Client, inputs: dict[str, object], problem: tuple[str, str]
):
    body = {**NETWRIX, "inputs": {**NETWRIX["inputs"], **inputs}}
    answer = await client.post("/api/connections", body)
    assert (answer.status, answer.problems) == (422, [problem])


async def test_a_schedule_and_a_selection_are_taken(client: Client):
    wanted = {"scan_every": "PT30M", "scan_start": "2026-03-01T02:00:00+01:00"}
    inputs = {**NETWRIX["inputs"], **wanted, "attributes": ["jobTitle"]}
    assert (await client.post("/api/connections", {**NETWRIX, "inputs": inputs})).status == 202
    definition = (await client.get("/api/connections/nim/discoveries")).json["definition"]
    assert (definition["every"], definition["attributes"]) == ("PT1800S", ["jobTitle"])
    assert definition["entities"] == list(KINDS)
    assert definition["tracked"] is True
