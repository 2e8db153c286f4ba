"""Two products leave: tenant, vault and Azure DevOps have nothing of them; the history stays."""

from typing import Any

import pytest

from tests.end_to_end.local import Local

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.requirement("X-18")]

WHY = {"reason": "replaced by another product"}


async def offboard(local: Local, name: str) -> dict[str, Any]:
    """Ask, and wait for the end; answers the connection."""
    answer = await local.call("DELETE", f"/api/connections/{name}", json=WHY)
    assert answer.status_code == 202, answer.text
    assert answer.headers["Location"] == f"/api/connections/{name}"
    found = await local.ended(name)
    assert found["offboarding"]["finished"], found["conditions"]
    return found


async def vault(local: Local, name: str) -> list[dict[str, Any]]:
    """Secrets of the connection's names in the vault, deleted ones too."""
    state = await local.control("state", vault=True)
    return [s for s in state if s["name"] == name or s["name"].startswith(f"{name}--")]


async def assert_gone(local: Local, before: dict[str, Any]) -> None:
    name, ids = before["name"], before["application"]
    tenant = await local.control("state")
    assert await local.applications(name) == []
    principal = ids["principal_id"]
    assert principal not in {sp["id"] for sp in tenant["servicePrincipals"]}
    assert [g for g in tenant["appRoleAssignments"] if g["principalId"] == principal] == []
    assert [g for g in tenant["oauth2PermissionGrants"] if g["clientId"] == principal] == []
    assert [r for r in tenant["roleAssignments"] if r["principalId"] == principal] == []
    deleted = {item["id"]: item for item in tenant["deletedItems"]}
    assert {ids["object_id"], principal} <= set(deleted)
    assert deleted[ids["object_id"]]["passwordCredentials"] == []
    secrets = await vault(local, name)
    assert {secret["name"] for secret in secrets} >= {name, f"{name}--next"}
    assert all(secret["deleted"] is not None for secret in secrets)
    assert not any(version["enabled"] for secret in secrets for version in secret["versions"])


async def test_nothing_is_left_and_everything_can_be_read(local: Local) -> None:
    await local.onboard("dvls-leaves")
    before = await local.assert_onboarded("dvls-leaves")
    refused = await local.call("DELETE", "/api/connections/dvls-leaves", json=WHY, caller="reader")
    assert refused.status_code == 403 and "Keyturn.Operator" in refused.text
    after = await offboard(local, "dvls-leaves")
    await assert_gone(local, before)
    assert {c["reason"] for c in after["conditions"]} == {"OFFBOARDED"}
    assert after["due"] == {} and after["credential"] is None
    path = "/api/connections/dvls-leaves"
    rows = (await local.get(f"{path}/history?limit=1000"))["entries"]
    whats = [row["what"] for row in rows]
    assert whats.index("secret.published") < whats.index("offboarding.requested")
    order = ["role.removed", "consent.revoked", "vault.removed", "secret.removed"]
    places = [whats.index(what) for what in (*order, "application.deleted")]
    assert places == sorted(places)
    (asked,) = [row for row in rows if row["what"] == "offboarding.requested"]
    operator = local.state["callers"]["operator"]["client_id"]
    assert asked["data"]["by"] == f"application {operator}"
    assert asked["data"]["reason"] == WHY["reason"]
    for method, tail in (("POST", "/rotation"), ("GET", "/handover"), ("DELETE", "")):
        body = {"json": WHY if method == "DELETE" else {}} if method != "GET" else {}
        answer = await local.call(method, path + tail, **body)
        assert answer.status_code == 410, answer.text
    listed = (await local.get("/api/connections"))["connections"]
    (line,) = [row for row in listed if row["name"] == "dvls-leaves"]
    assert line["offboarded"] and line["attention"] == []


async def test_a_member_of_azure_devops_leaves_it(local: Local) -> None:
    body = {
        "name": "pandium-leaves",
        "profile": "pandium",
        "features": {"azure_devops": True},
        "inputs": {"scope": "azure-devops", "devops_org": "contoso"},
    }
    answer = await local.call("POST", "/api/connections", json=body)
    assert answer.status_code == 202, answer.text
    before = await local.assert_onboarded("pandium-leaves")
    assert before["membership"] and before["membership"]["joined"]
    await offboard(local, "pandium-leaves")
    await assert_gone(local, before)
    secrets = await vault(local, "pandium-leaves")
    assert any("ACCESS-TOKEN" in secret["name"] for secret in secrets)
    rows = (await local.get("/api/connections/pandium-leaves/history?limit=1000"))["entries"]
    (left,) = [row["data"] for row in rows if row["what"] == "devops.left"]
    assert left["member"] == before["membership"]["member_id"]
