"""The plan of an onboarding, before anything is done."""

import json
from typing import Any

import pytest

from shared.errors import NeedsHuman
from tests.in_memory.http.client import EVE, SIGN_IN, Client, principal
from tests.unit.plan.golden import REQUESTS, file, planned

URL = "/api/connections"
SWAP = "RoleManagement.ReadWrite.Directory"
DVLS: dict[str, Any] = {
    "name": "dvls-prod",
    "profile": "devolutions-server",
    **REQUESTS["devolutions-server"],
}


@pytest.fixture(autouse=True)
def _platform_auth(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SIGN_IN.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def client() -> Client:
    return Client()


async def plan(client: Client, **changes: Any) -> dict[str, Any]:
    answer = await client.post(URL, {**DVLS, "dry_run": True, **changes})
    assert answer.status == 200, answer.content
    assert client.ctx.outbox.sent == []
    found: dict[str, Any] = answer.json
    return found


@pytest.mark.requirement("X-05")
@pytest.mark.parametrize("form", ["json", "markdown"])
@pytest.mark.parametrize("profile", REQUESTS)
async def test_plans_of_the_five_products_are_as_reviewed(profile: str, form: str):
    made = await planned(profile, form)
    assert made == file(profile, form).read_text(), "see tests/unit/plan/golden.py"


@pytest.mark.requirement("X-05")
async def test_a_dry_run_stores_and_starts_nothing(client: Client):
    await plan(client)
    assert await client.ctx.ledger.connections() == []
    assert await client.ctx.ledger.history("dvls-prod") == []
    assert await client.ctx.ledger.refusals() == []
    assert client.ctx.tenant.applications == {}


@pytest.mark.requirement("X-07")
async def test_swaps_are_offered_and_taken_only_when_named(client: Client):
    offered = await plan(client)
    (swap,) = offered["swaps"]
    assert (swap["taken"], swap["risk"], swap["risk_then"]) == (False, "direct", "normal")
    assert SWAP in offered["approval_needed"]
    taken = await plan(client, accept_swaps=[SWAP])
    assert taken["swaps"][0]["taken"] is True
    used = {p["name"]: p["instead_of"] for p in taken["permissions"]}
    assert used["RoleManagement.Read.Directory"] == SWAP
    assert SWAP not in taken["approval_needed"]


@pytest.mark.requirement("D-14", "D-21")
async def test_what_a_feature_does_not_want_is_not_planned(client: Client):
    without = await plan(client, features={"discovery": False, "password_rotation": False})
    assert (without["permissions"], without["roles"], without["discovery"]) == ([], [], None)
    assert "AppRoleAssignment.ReadWrite.All" not in {n["permission"] for n in without["automation"]}


@pytest.mark.diagnosis("SECRET_LIFETIME_OVER_POLICY")
async def test_a_shortened_secret_is_told(client: Client):
    client.ctx.tenant.longest_lifetime = 90
    made = await plan(client)
    assert (made["credential"]["days_asked"], made["credential"]["days"]) == (180, 90)
    assert made["credential"]["rotated_after"] == 60
    (finding,) = made["findings"]
    assert (finding["code"], finding["blocking"]) == ("SECRET_LIFETIME_OVER_POLICY", False)
    assert made["would_stop"] is False


@pytest.mark.requirement("X-20")
@pytest.mark.diagnosis("AUTOMATION_PRIVILEGE", "SECRET_TYPE_BLOCKED")
async def test_what_would_stop_it_is_told_first(client: Client):
    client.ctx.tenant.own_roles -= {"AppRoleAssignment.ReadWrite.All"}
    client.ctx.tenant.secrets_allowed = False
    made = await plan(client)
    assert made["would_stop"] is True
    assert [f["code"] for f in made["findings"]] == ["AUTOMATION_PRIVILEGE", "SECRET_TYPE_BLOCKED"]
    held = {need["permission"]: need["held"] for need in made["automation"]}
    assert held["AppRoleAssignment.ReadWrite.All"] is False
    assert held["Application.Read.All"] is True
    assert "AppRoleAssignment.ReadWrite.All" in made["for_people"][0]


async def test_the_front_door_does_not_take_its_own_rights_for_the_automations(client: Client):
    """In Azure its identity reads the tenant's name and nothing else."""
    client.ctx.tenant.own_roles = frozenset({"Organization.Read.All"})
    refusal = NeedsHuman("AUTOMATION_PRIVILEGE", "HTTP 403 reading the API", "grant it")
    for method in ("directory.resource", "credentials.rules"):
        client.ctx.tenant.fail(method, refusal, times=9)
    made = await plan(client)
    assert made["would_stop"] is False
    assert {need["held"] for need in made["automation"]} == {None}
    assert made["findings"][-1]["code"] == "NOT_CHECKED"


async def test_a_name_that_is_taken_is_a_finding(client: Client):
    await client.post(URL, DVLS)
    client.ctx.outbox.sent.clear()
    same = await plan(client)
    assert same["findings"] == []
    other = await plan(client, owner="ben@contoso.com")
    assert other["findings"][0]["code"] == "NAME_TAKEN"
    assert other["would_stop"] is True


async def test_a_change_has_a_plan_too(client: Client):
    await client.onboarded()
    await client.acting(EVE).post(f"{URL}/dvls-prod/approval", {"reason": "CHG-1"})
    sent = len(client.ctx.outbox.sent)
    body = {"accept_swaps": [], "dry_run": True}
    answer = await client.patch(f"{URL}/dvls-prod", body)
    assert answer.status == 200
    assert answer.json["approval_needed"] == [SWAP]
    shown = (await client.get(f"{URL}/dvls-prod")).json
    assert shown["accept_swaps"] == [SWAP]
    assert len(client.ctx.outbox.sent) == sent


async def test_markdown_escapes_what_people_wrote(client: Client):
    inputs = {**DVLS["inputs"], "provider_name": "**[x](https://evil.example)** <b>"}
    body = {**DVLS, "inputs": inputs, "dry_run": True}
    headers = {"content-type": "application/json", "accept": "text/markdown"}
    answer = await client.post(URL, body, headers)
    assert answer.type.startswith("text/markdown")
    text = answer.content.decode()
    assert r"\*\*\[x\](https://evil.example)\*\* \<b\>" in text


async def test_a_bad_request_has_no_plan(client: Client):
    answer = await client.post(URL, {**DVLS, "dry_run": True, "permissions": ["x"]})
    assert answer.status == 422
    assert answer.problems == [("permissions", "FIELD_UNKNOWN")]


async def test_a_plan_is_for_those_who_may_ask(client: Client):
    reader = client.acting(principal("ray@contoso.com", "Reader"))
    assert (await reader.post(URL, {**DVLS, "dry_run": True})).status == 403


def test_the_golden_files_are_all_there():
    names = {path.name for path in file("x", "json").parent.iterdir()}
    forms = {f"{profile}.{end}" for profile in REQUESTS for end in ("json", "md")}
    assert names == forms
    assert all(json.loads(file(profile, "json").read_text()) for profile in REQUESTS)
