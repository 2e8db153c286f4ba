"""One connector, end to end, with the real SDKs against the local cloud."""

import json

import pytest

from tests.end_to_end.local import FOUR, Local, order, request

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.requirement(
    "D-02", "D-03", "D-07", "D-08", "D-11", "D-12", "D-15", "D-18", "D-22", "D-34", "X-01"
)
async def test_a_request_becomes_a_working_connection(local: Local) -> None:
    await local.onboard("dvls-http")
    found = await local.assert_onboarded("dvls-http")
    assert found["granted"] == FOUR
    assert found["roles"] == ["Helpdesk Administrator"]
    client_id = found["application"]["client_id"]
    assert await local.token_roles("dvls-http", client_id) == FOUR
    (application,) = await local.applications("dvls-http")
    assert application["signInAudience"] == "AzureADMyOrg"
    assert application["displayName"] == "DVLS PAM"
    sheet = await local.get("/api/connections/dvls-http/handover")
    values = {line["label"]: line.get("value") for line in sheet["lines"]}
    assert values["Tenant ID"] == local.state["tenant_id"]
    assert values["Client ID"] == client_id
    (secret,) = [line["secret"] for line in sheet["lines"] if line["label"] == "Secret key"]
    assert secret["vault"].startswith(f"{local.state['vault']}/secrets/dvls-http/")
    (run,) = (await local.get("/api/connections/dvls-http/discoveries"))["discoveries"]
    assert run["state"] == "succeeded" and run["accounts"] > 0
    accounts = (await local.get("/api/connections/dvls-http/accounts?limit=1000"))["accounts"]
    assert len({account["id"] for account in accounts}) == run["accounts"]


async def test_the_same_body_again_is_200_and_another_body_409(local: Local) -> None:
    await local.onboard("dvls-again")
    await local.assert_onboarded("dvls-again")
    again = await local.call("POST", "/api/connections", json=request("dvls-again"))
    assert again.status_code == 200
    other = await local.call("POST", "/api/connections", json=request("dvls-again", mode="roles"))
    assert other.status_code == 409
    await local.assert_onboarded("dvls-again")


@pytest.mark.requirement("X-02", "X-03")
async def test_a_message_ends_in_the_same_state_and_twice_makes_one_application(
    local: Local,
) -> None:
    body = json.dumps(order("dvls-queue", mode="groups")).encode()
    await local.post("provisioning", ("one", body), ("one", body), ("two", body))
    await local.approve("dvls-queue")
    found = await local.assert_onboarded("dvls-queue")
    assert found["granted"] == FOUR
    assert await local.token_roles("dvls-queue", found["application"]["client_id"]) == FOUR
    assert {run["kind"] for run in found["operations"]} == {"onboard"}


@pytest.mark.requirement("D-19", "X-07")
async def test_high_risk_permissions_wait_for_an_approver(local: Local) -> None:
    body = request("dvls-risk")
    answer = await local.call("POST", "/api/connections", json=body)
    assert answer.status_code == 202
    held = await local.ended("dvls-risk")
    reasons = {c["type"]: (c["status"], c["reason"]) for c in held["conditions"]}
    assert reasons["Consented"] == ("False", "APPROVAL_PENDING")
    path, approval = "/api/connections/dvls-risk/approval", {"reason": "reviewed"}
    for caller in ("operator", "reader"):
        refused = await local.call("POST", path, json=approval, caller=caller)
        assert refused.status_code == 403 and "Keyturn.Approver" in refused.text
    answer = await local.call("POST", path, json=approval, caller="approver")
    assert answer.status_code == 202, answer.text
    found = await local.assert_onboarded("dvls-risk")
    approver = local.state["callers"]["approver"]["client_id"]
    assert found["approval"]["by"] == f"application {approver}"
    listed = (await local.get("/api/refusals"))["refusals"]
    refused_now = [row["reason"] for row in listed if row["connection"] == "dvls-risk"]
    assert refused_now == ["FORBIDDEN", "FORBIDDEN"]


async def test_callers_are_who_their_token_says(local: Local) -> None:
    forged = {"x-ms-client-principal": "e30=", "x-ms-client-principal-name": "root"}
    nobody = await local.call("GET", "/api/connections", auth=None, headers=forged)
    assert nobody.status_code == 401
    assert nobody.headers["www-authenticate"].startswith("Bearer ")
    answer = await local.call("GET", "/api/connections", headers=forged)
    assert answer.status_code == 200  # the platform's own headers count, not the sent ones


@pytest.mark.requirement("X-10")
async def test_rotation_publishes_another_secret_and_keeps_the_old_one(local: Local) -> None:
    await local.onboard("dvls-rotate")
    before = await local.assert_onboarded("dvls-rotate")
    old = await local.secret("dvls-rotate")
    answer = await local.call("POST", "/api/connections/dvls-rotate/rotation", json={})
    assert answer.status_code == 202, answer.text
    after = await local.assert_onboarded("dvls-rotate", secrets=2)
    assert after["credential"]["previous_key_id"] == before["credential"]["key_id"]
    assert after["credential"]["overlap_until"]
    assert await local.secret("dvls-rotate") != old
    roles = await local.token_roles("dvls-rotate", after["application"]["client_id"])
    assert roles == FOUR


@pytest.mark.requirement("X-06")
async def test_replication_lag_and_unclear_answers_leave_one_of_everything(local: Local) -> None:
    add = "POST /applications/{id}/addPassword"
    await local.control("faults", {"call": add, "fault": "lost", "times": 2})
    await local.control("faults", {"call": add, "fault": "F7", "times": 1})
    create = "PATCH /servicePrincipals(appId='{id}')"
    await local.control("faults", {"call": create, "fault": "F3", "times": 2})
    await local.control("lag", {"seconds": 1.0, "token_seconds": 2.0})
    try:
        await local.onboard("dvls-lag")
        found = await local.assert_onboarded("dvls-lag")
    finally:
        await local.control("lag", {"seconds": 0, "token_seconds": 0})
    assert await local.token_roles("dvls-lag", found["application"]["client_id"]) == FOUR
    hits = {fault["fault"]: fault["hits"] for fault in await local.control("faults")}
    assert hits["lost"] == 2


async def test_health_names_every_dependency(local: Local) -> None:
    health = await local.get("/api/health")
    assert health["ok"] is True
    assert {d["name"]: d["status"] for d in health["dependencies"]} == {
        "ledger": "ok",
        "accounts": "ok",
        "imports": "ok",
        "vault": "ok",
        "service bus": "ok",
        "graph": "ok",
        "permissions": "ok",
        "clock": "ok",
    }
