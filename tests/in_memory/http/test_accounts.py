"""Discovered accounts: pages, filters and forms."""

import csv
import io
import json

import pytest

from shared.model.accounts import Account, Origin, Summary
from tests.in_memory.http.client import Client

URL = "/api/connections/dvls-prod/accounts"
ADMINS = Origin(kind="role", id="role-1", name="User Administrator")
STAFF = Origin(kind="group", id="group-1", name="Staff")


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
    await client.ctx.account_store.save(summary, accounts)


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


async def test_a_page_of_a_replaced_discovery_is_gone(found: Client):
    found.ctx.clock.advance(days=1)
    await discover(found, [account(7)], "run-2")
    answer = await found.get(f"{URL}?after=id-3")
    assert (answer.status, answer.problems) == (409, [("after", "PAGE_GONE")])


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
