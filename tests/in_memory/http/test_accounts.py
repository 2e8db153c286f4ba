"""Discovered accounts: pages, filters and forms."""

import csv
import gzip
import io
import json
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from functions.http import downloads
from shared.model.accounts import SERVICE_PRINCIPAL, Account, Origin, Summary, Through
from shared.model.entities import Findings
from tests.fakes.published import publish
from tests.in_memory.http.client import Client

URL = "/api/connections/dvls-prod/accounts"
ADMINS = Origin(kind="role", id="role-1", name="User Administrator")
STAFF = Origin(kind="group", id="group-1", name="Staff")
NETWRIX = {
    "profile": "netwrix-identity-manager",
    "inputs": {"connection_id": "Entra", "organization": "Contoso", "attributes": ["jobTitle"]},
}


def account(number: int, **changes: object) -> Account:
    fields: dict[str, object] = {
        "id": f"id-{number}",
        "user_principal_name": f"user{number}@contoso.com",
        "display_name": f"User {number}",
        "enabled": number % 2 == 0,
        "guest": number == 3,
        "mail": "",
        "origins": (ADMINS,) if number < 2 else (STAFF,),
    }
    return Account(**{**fields, **changes})  # type: ignore[arg-type]


@pytest.fixture
async def found(client: Client) -> Client:
    await client.onboarded()
    await discover(client, [account(number) for number in range(5)])
    return client


async def discover(client: Client, accounts: list[Account], operation: str = "run-1") -> None:
    now = client.ctx.clock.now()
    summary = Summary(
        operation=operation,
        connection="dvls-prod",
        state="succeeded",
        mode="groups",
        started=now,
        finished=now,
    )
    pages = {"user?": Findings(rows=tuple(accounts))}
    await publish(client.ctx.account_store, summary, pages)


def ids(answer_json: dict[str, list[dict[str, str]]]) -> list[str]:
    return [row["id"] for row in answer_json["accounts"]]


async def test_before_the_first_discovery_there_are_none(client: Client):
    await client.onboarded()
    answer = await client.get(URL)
    assert answer.json == {
        "connection": "dvls-prod",
        "discovery": "",
        "as_of": None,
        "accounts": [],
        "next": None,
    }


async def test_pages_follow_each_other(found: Client):
    url, pages = f"{URL}?limit=2", []
    while url:
        answer = await found.get(url)
        pages.append(ids(answer.json))
        url = answer.json["next"]
        assert ("Link" in answer.headers) == bool(url)
    assert pages == [["id-0", "id-1"], ["id-2", "id-3"], ["id-4"]]


async def test_a_full_last_page_has_no_successor(found: Client):
    answer = await found.get(f"{URL}?limit=5")
    assert len(answer.json["accounts"]) == 5
    assert answer.json["next"] is None


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("enabled=true", ["id-0", "id-2", "id-4"]),
        ("enabled=false&guest=false", ["id-1"]),
        ("guest=true", ["id-3"]),
        ("origin=user administrator", ["id-0", "id-1"]),
        ("origin=group-1", ["id-2", "id-3", "id-4"]),
        ("origin=nobody", []),
        ("enabled=true&limit=1&after=id-0&code=function-key", ["id-2"]),
    ],
)
async def test_filters(found: Client, query: str, expected: list[str]):
    assert ids((await found.get(f"{URL}?{query}")).json) == expected


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=-1", "limit"),
        ("limit=1001", "limit"),
        ("limit=ten", "limit"),
        ("limit=1e3", "limit"),
        ("limit=²", "limit"),
        ("limit=99999999999999999999", "limit"),
        ("enabled=yes", "enabled"),
        ("guest=True", "guest"),
        ("enable=true", "enable"),
        ("format=xlsx", "format"),
    ],
)
async def test_bad_queries(found: Client, query: str, field: str):
    answer = await found.get(f"{URL}?{query}")
    assert answer.status == 400
    assert [name for name, _ in answer.problems] == [field]


async def test_pages_go_on_behind_the_same_account_in_a_newer_discovery(found: Client):
    before = (await found.get(f"{URL}?limit=3")).json
    found.ctx.clock.advance(days=1)
    await discover(found, [account(1), account(3), account(7)], "run-2")
    after = (await found.get(before["next"])).json
    assert ids(before) + ids(after) == ["id-0", "id-1", "id-2", "id-3", "id-7"]
    assert (before["discovery"], after["discovery"]) == ("run-1", "run-2")


async def test_csv_is_safe_to_open(found: Client):
    hostile = '=HYPERLINK("https://evil.example","x"), "y"'
    found.ctx.clock.advance(days=1)
    await discover(found, [account(1, display_name=hostile), account(2)], "run-2")
    answer = await found.get(URL, accept="text/csv")
    assert answer.type == "text/csv"
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert rows[0]["display_name"] == f"'{hostile}"
    assert rows[0]["origins"] == "role:User Administrator"
    assert (rows[1]["enabled"], rows[1]["display_name"]) == ("true", "User 2")


async def test_ndjson_has_one_account_a_line(found: Client):
    answer = await found.get(f"{URL}?format=ndjson&limit=3")
    assert answer.type == "application/x-ndjson"
    lines = [json.loads(line) for line in answer.content.decode().splitlines()]
    assert [line["id"] for line in lines] == ["id-0", "id-1", "id-2"]
    assert "format=ndjson" in answer.headers["Link"]


async def test_discoveries_are_listed_newest_first(found: Client):
    found.ctx.clock.advance(days=1)
    await discover(found, [account(1), account(9)], "run-2")
    answer = await found.get("/api/connections/dvls-prod/discoveries")
    runs = answer.json["discoveries"]
    assert [run["operation"] for run in runs] == ["run-2", "run-1"]
    assert (runs[0]["added"], runs[0]["removed"]) == (1, 4)


NESTED = (Through(id="g-7", name="Tier 0"), Through(id="g-8", name="Inner"))
UNTIL = datetime(2027, 1, 31, tzinfo=UTC)
MAY = Origin(
    kind="role",
    id="role-2",
    name="Groups Administrator",
    scope="unit-1",
    scope_name="North",
    eligible=True,
    until=UNTIL,
)


@pytest.fixture
async def privileged(client: Client) -> Client:
    await client.onboarded()
    rows = [
        account(0, origins=(replace(ADMINS, scope="/"),), mfa="yes"),
        account(1, origins=(replace(ADMINS, scope="/", chain=NESTED),), mfa="no"),
        account(2, origins=(MAY,), eligible=True, synced=True),
        account(3, origins=(replace(STAFF, chain=NESTED[1:]), MAY)),
        account(4, origins=(STAFF,), kind=SERVICE_PRINCIPAL, display_name="Backup App"),
    ]
    await discover(client, rows)
    return client


@pytest.mark.requirement("D-23", "X-15")
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("reason=role", [0, 1]),
        ("reason=eligible", [2, 3]),
        ("reason=group", [3, 4]),
        ("reason=tenant", []),
        ("role=user administrator", [0, 1]),
        ("role=role-2", [2, 3]),
        ("role=user administrator&nested=true", [1]),
        ("nested=true", [1, 3]),
        ("nested=true&reason=group", [3]),
        ("nested=true&reason=eligible", []),  # of one and the same reason
        ("group=tier 0", [1]),
        ("group=g-8", [1, 3]),
        ("group=staff", [3, 4]),
        ("unit=north", [2, 3]),
        ("unit=/", [0, 1]),
        ("mfa=no", [1]),
        ("mfa=unknown", [2, 3, 4]),
        ("synced=true", [2]),
        ("kind=servicePrincipal", [4]),
        ("text=USER3@", [3]),
        ("text=backup", [4]),
        ("mfa=yes&reason=eligible", []),
    ],
)
async def test_by_reason_and_by_fact(privileged: Client, query: str, expected: list[int]):
    found = ids((await privileged.get(f"{URL}?{query}")).json)
    assert found == [f"id-{number}" for number in expected]


@pytest.mark.parametrize("query", ["reason=owner", "mfa=false", "kind=group", "nested=1"])
async def test_words_that_are_no_filter(privileged: Client, query: str):
    answer = await privileged.get(f"{URL}?{query}")
    assert (answer.status, answer.problems[0][1]) == (400, "INPUT_INVALID")


@pytest.mark.requirement("D-30")
async def test_a_file_tells_every_reason_in_words(privileged: Client):
    answer = await privileged.get(f"{URL}?format=csv")
    rows = {row["id"]: row for row in csv.DictReader(io.StringIO(answer.content.decode()))}
    assert rows["id-1"]["origins"] == "role:User Administrator via Tier 0 > Inner"
    assert rows["id-3"]["origins"] == (
        "group:Staff via Inner; role:Groups Administrator in North, eligible until 2027-01-31"
    )
    assert (rows["id-0"]["mfa"], rows["id-2"]["synced"]) == ("yes", "true")


@pytest.mark.parametrize("form", ["csv", "ndjson"])
async def test_a_file_is_compressed_on_the_way(found: Client, form: str):
    plain = await found.get(f"{URL}?format={form}")
    packed = await found.get(f"{URL}?format={form}", accept_encoding="br, gzip;q=0.5")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.content) == plain.content
    assert "Content-Encoding" not in plain.headers
    assert {answer.headers["Vary"] for answer in (plain, packed)} == {"Accept-Encoding"}


@pytest.mark.parametrize("form", ["csv", "ndjson"])
@pytest.mark.parametrize(("bound", "size"), [("LARGEST", 300), ("LONGEST_TEXT", 300)])
async def test_a_large_file_comes_in_pieces(
    found: Client, form: str, bound: str, size: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(downloads, bound, size)
    url, pieces = f"{URL}?format={form}", 0
    seen: list[str] = []
    while url:
        answer = await found.get(url)
        text = answer.content.decode()
        if form == "csv":
            seen += [row["id"] for row in csv.DictReader(io.StringIO(text))]
        else:
            seen += [json.loads(line)["id"] for line in text.splitlines()]
        assert answer.headers["X-Discovery"]
        link = answer.headers.get("Link", "")
        url, pieces = link[1:].partition(">")[0], pieces + 1
    assert pieces > 1
    assert seen == [f"id-{number}" for number in range(5)]


async def test_selected_attributes_are_columns(client: Client):
    body = {**NETWRIX, "name": "dvls-prod"}
    assert (await client.post("/api/connections", body)).status == 202
    await discover(client, [account(1, attributes={"jobTitle": "Pilot", "phones": ["1"]})])
    answer = await client.get(f"{URL}?format=csv")
    (row,) = csv.DictReader(io.StringIO(answer.content.decode()))
    assert (row["jobTitle"], "phones" in row) == ("Pilot", False)
