"""Who may do what: app roles of callers, approvals by somebody else, and what was refused."""

import base64
import json
from typing import Any

import pytest

from shared.requests.order import ORDERS
from tests.bad_input.http_bodies import GOOD
from tests.fakes import fake_context
from tests.in_memory.http.client import ANA, EVE, OBJECT_ID, TOKEN, Client, principal

URL = "/api/connections"
ONE = f"{URL}/dvls-prod"
RAY = principal("ray@contoso.com", "Reader")
NOBODY = principal("nobody@contoso.com")
BOTH = principal("max@contoso.com", "Operator", "Approver")
RISKY = {**GOOD, "accept_swaps": []}

APPROVED: dict[str, Any] = {**RISKY, "approval": {"reason": "CHG-7"}}


async def refusals(client: Client) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = (await client.acting(RAY).get("/api/refusals")).json["refusals"]
    return listed


@pytest.mark.requirement("D-19", "X-07")
@pytest.mark.parametrize(
    ("caller", "method", "url", "body", "needed"),
    [
        (RAY, "POST", URL, GOOD, "Keyturn.Operator"),
        (EVE, "POST", URL, GOOD, "Keyturn.Operator"),
        (RAY, "POST", f"{ONE}/rotation", {}, "Keyturn.Operator"),
        (ANA, "POST", f"{ONE}/approval", {"reason": "x"}, "Keyturn.Approver"),
        (RAY, "POST", f"{ONE}/approval", {"reason": "x"}, "Keyturn.Approver"),
        (NOBODY, "GET", URL, None, "Keyturn.Reader"),
        (NOBODY, "GET", "/api/health", None, "Keyturn.Reader"),
        (ANA, "POST", URL, APPROVED, "Keyturn.Approver"),
    ],
)
async def test_a_call_without_its_role_is_refused_and_recorded(
    client: Client, caller: dict[str, str], method: str, url: str, body: Any, needed: str
):
    acting = client.acting(caller)
    answer = await (acting.get(url) if method == "GET" else acting.post(url, body))
    assert answer.status == 403
    assert answer.problems[0][1] == "FORBIDDEN"
    assert needed in answer.json["detail"] and needed in answer.json["problems"][0]["hint"]
    assert client.ctx.outbox.sent == []
    assert await client.ctx.ledger.connections() == []
    (row,) = await refusals(client)
    assert row["reason"] == "FORBIDDEN"
    assert row["asked_by"] in answer.json["detail"]
    assert row["principal"] == f"id-of-{row['asked_by']}"


@pytest.mark.parametrize("caller", [RAY, ANA, EVE, BOTH])
async def test_every_role_reads(client: Client, caller: dict[str, str]):
    await client.onboarded()
    answer = await client.acting(caller).get(ONE)
    assert answer.status == 200


@pytest.mark.requirement("X-17")
async def test_the_approver_is_who_called_and_not_who_is_named(client: Client):
    await client.post(URL, RISKY)
    answer = await client.acting(EVE).post(f"{ONE}/approval", {"reason": "CHG-7"})
    assert answer.status == 200
    assert answer.json["approval"] | {"at": ""} == {
        "by": "eve@contoso.com",
        "principal": "id-of-eve@contoso.com",
        "reason": "CHG-7",
        "covers": ["RoleManagement.ReadWrite.Directory", "User-PasswordProfile.ReadWrite.All"],
        "at": "",
    }
    history = (await client.get(f"{ONE}/history")).json["entries"]
    assert [(row["what"], row["data"]["by"]) for row in history] == [
        ("connection.requested", "ana@contoso.com"),
        ("approval.given", "eve@contoso.com"),
    ]


async def test_nobody_approves_their_own_request(client: Client):
    both = client.acting(BOTH)
    at_once = await both.post(URL, APPROVED)
    assert (at_once.status, at_once.problems) == (403, [("approval", "SELF_APPROVAL")])
    assert await client.ctx.ledger.connections() == []
    assert (await both.post(URL, RISKY)).status == 202
    later = await both.post(f"{ONE}/approval", {"reason": "mine"})
    assert (later.status, later.problems) == (403, [("approval", "SELF_APPROVAL")])
    connection = await client.ctx.ledger.connection("dvls-prod")
    assert connection is not None and connection.approval is None
    assert [row["reason"] for row in await refusals(client)] == ["SELF_APPROVAL"] * 2
    assert (await client.acting(EVE).post(f"{ONE}/approval", {"reason": "ok"})).status == 200


async def test_a_repeat_by_an_approver_may_bring_the_approval(client: Client):
    await client.post(URL, RISKY)
    again = await client.acting(BOTH).post(URL, APPROVED)
    assert again.status == 200
    connection = await client.ctx.ledger.connection("dvls-prod")
    assert connection is not None and connection.approval is not None
    assert connection.approval.by == "max@contoso.com"


async def test_four_eyes_can_be_switched_off():
    client = Client(fake_context(four_eyes=False), BOTH)
    assert (await client.post(URL, APPROVED)).status == 202


async def test_with_a_key_alone_a_sent_header_is_not_believed(
    client: Client, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("KEYTURN_PLATFORM_AUTH", "none")
    forged = client.acting(BOTH | {"x-ms-client-principal-name": "max@contoso.com"})
    made = await forged.post(URL, RISKY)
    operation = await client.operation(made.json["operation"])
    assert operation.asked_by == "function-key"
    answer = await forged.post(f"{ONE}/approval", {"reason": "mine"})
    assert (answer.status, answer.problems) == (403, [("", "FORBIDDEN")])
    assert "KEYTURN_PLATFORM_AUTH" in answer.json["problems"][0]["hint"]


async def test_a_misspelt_setting_does_not_open_the_door(
    client: Client, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("KEYTURN_PLATFORM_AUTH", "Entra")
    answer = await client.get(URL)
    assert (answer.status, answer.problems) == (503, [("", "SETTINGS")])


def header(document: Any) -> dict[str, str]:
    return {"x-ms-client-principal": base64.b64encode(json.dumps(document).encode()).decode()}


ROLE = {"typ": "roles", "val": "Keyturn.Operator"}


@pytest.mark.parametrize(
    "caller",
    [
        {},
        {"x-ms-client-principal": ""},
        {"x-ms-client-principal": "not base64!"},
        {"x-ms-client-principal": base64.b64encode(b"{").decode()},
        {"x-ms-client-principal": base64.b64encode(b"\xff\xfe").decode()},
        header([]),
        header({"auth_typ": "aad", "claims": "all"}),
        header({"auth_typ": "aad", "claims": [ROLE]}),
        header({"auth_typ": "google", "claims": [ROLE, {"typ": OBJECT_ID, "val": "1"}]}),
    ],
)
async def test_callers_that_nobody_vouches_for_are_401(client: Client, caller: dict[str, str]):
    answer = await client.acting(caller).post(URL, GOOD)
    assert (answer.status, answer.problems) == (401, [("", "UNAUTHENTICATED")])
    assert client.ctx.outbox.sent == []


async def test_an_application_is_named_by_its_id(client: Client):
    claims = [*TOKEN, ROLE, {"typ": "oid", "val": "o-1"}, {"typ": "appid", "val": "a-1"}]
    await client.acting(header({"auth_typ": "aad", "claims": claims})).post(URL, GOOD)
    (row,) = (await client.get(f"{ONE}/history")).json["entries"]
    assert (row["data"]["by"], row["data"]["principal"]) == ("application a-1", "o-1")


async def test_a_name_that_hides_something_is_shown_escaped(client: Client):
    await client.acting(principal("an\u202ea", "Operator")).post(URL, GOOD)
    (row,) = (await client.get(f"{ONE}/history")).json["entries"]
    assert row["data"]["by"] == "an\\u202ea"


EXCESSES: dict[str, tuple[dict[str, Any], str, str]] = {
    "a permission": (
        {"permissions": ["Directory.ReadWrite.All"]},
        "permissions",
        "FIELD_UNKNOWN",
    ),
    "a directory role": (
        {"directory_roles": ["Global Administrator"]},
        "directory_roles",
        "FIELD_UNKNOWN",
    ),
    "a feature": ({"features": {"teleport": True}}, "features.teleport", "FEATURE_UNKNOWN"),
    "a swap": ({"accept_swaps": ["User.Read.All"]}, "accept_swaps[0]", "SWAP_UNKNOWN"),
    "a profile": ({"profile": "keepass"}, "profile", "PROFILE_UNKNOWN"),
}


@pytest.mark.requirement("X-01", "X-17")
@pytest.mark.parametrize("what", EXCESSES)
async def test_what_exceeds_a_profile_is_refused_and_recorded(client: Client, what: str):
    change, field, code = EXCESSES[what]
    answer = await client.post(URL, {**GOOD, **change})
    assert answer.status == 422
    assert (field, code) in answer.problems
    (row,) = await refusals(client)
    assert (row["asked_by"], row["connection"]) == ("ana@contoso.com", "dvls-prod")
    assert (field, code) in {(problem["field"], problem["code"]) for problem in row["problems"]}
    assert row["source"] == "create_connection" and row["at"]


async def test_refusals_come_in_pages(client: Client):
    for _ in range(3):
        await client.acting(RAY).post(URL, GOOD)
        client.ctx.clock.advance(seconds=1)
    first = (await client.get("/api/refusals?limit=2")).json
    assert len(first["refusals"]) == 2
    rest = (await client.get(first["next"])).json
    assert len(rest["refusals"]) == 1 and rest["next"] is None
    ids = {row["id"] for row in first["refusals"] + rest["refusals"]}
    assert len(ids) == 3


def test_a_message_can_order_nothing_that_needs_an_approver():
    assert "approve" not in ORDERS
