"""Plan, onboarding, change and audit through the running functions."""

import pytest

from tests.end_to_end.local import FOUR, Local, request

pytestmark = pytest.mark.asyncio(loop_scope="module")

SWAP = "RoleManagement.ReadWrite.Directory"


@pytest.mark.requirement("X-05", "X-17", "D-17")
async def test_what_was_planned_is_done_and_a_change_brings_less(local: Local) -> None:
    body = request("dvls-plan")
    planned = await local.call("POST", "/api/connections", json={**body, "dry_run": True})
    assert planned.status_code == 200, planned.text
    plan = planned.json()
    assert plan["findings"] == [] and plan["tenant"] == local.state["tenant_id"]
    assert all(need["held"] for need in plan["automation"])
    assert await local.applications("dvls-plan") == []
    await local.onboard("dvls-plan")
    found = await local.assert_onboarded("dvls-plan")
    assert found["granted"] == sorted(p["name"] for p in plan["permissions"]) == FOUR
    assert found["approval"]["covers"] == plan["approval_needed"]

    narrower = {"accept_swaps": [SWAP]}
    answer = await local.call("PATCH", "/api/connections/dvls-plan", json=narrower)
    assert answer.status_code == 202, answer.text
    assert answer.json()["approval_needed"] == []
    changed = await local.assert_onboarded("dvls-plan")
    less = sorted({*FOUR, "RoleManagement.Read.Directory"} - {SWAP})
    assert changed["granted"] == less
    client_id = changed["application"]["client_id"]
    assert await local.token_roles("dvls-plan", client_id) == less

    history = (await local.get("/api/connections/dvls-plan/history?limit=1000"))["entries"]
    what = [entry["what"] for entry in history]
    assert what[0] == "connection.requested" and "connection.changed" in what
    operator = f"application {local.state['callers']['operator']['client_id']}"
    (change,) = [entry["data"] for entry in history if entry["what"] == "connection.changed"]
    assert (change["by"], change["before"]) == (operator, {"accept_swaps": []})
    grants = [entry["data"] for entry in history if entry["what"] == "consent.granted"]
    assert grants and all(len(grant["graph_requests"]) >= 1 for grant in grants)


@pytest.mark.requirement("X-20")
@pytest.mark.diagnosis("SECRET_TYPE_BLOCKED")
async def test_a_tenant_that_blocks_secrets_is_left_as_it_is(local: Local) -> None:
    await local.control("policy", {"passwords_forbidden": True})
    try:
        await local.onboard("dvls-blocked")
        found = await local.ended("dvls-blocked")
    finally:
        await local.control("policy", {})
    (condition,) = found["conditions"]
    assert (condition["type"], condition["reason"]) == ("Registered", "SECRET_TYPE_BLOCKED")
    assert await local.applications("dvls-blocked") == []
