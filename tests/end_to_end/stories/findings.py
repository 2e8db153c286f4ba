"""A permission that somebody adds by hand: found, told, and taken away when an approver says so."""

from typing import Any

import pytest

from tests.end_to_end.local import Local, until

NAME = "dvls-findings"
AUDIT_READ = "b0afded3-3588-46d8-8b3d-9842eff778da"  # AuditLog.Read.All


async def granted(local: Local) -> set[str]:
    tenant = await local.control("state")
    (application,) = await local.applications(NAME)
    (principal,) = [
        row for row in tenant["servicePrincipals"] if row["appId"] == application["appId"]
    ]
    rows = tenant["appRoleAssignments"]
    return {row["appRoleId"] for row in rows if row["principalId"] == principal["id"]}


async def listed(local: Local, state: str) -> list[dict[str, Any]]:
    path = f"/api/connections/{NAME}/findings?state={state}"
    found: list[dict[str, Any]] = (await local.get(path))["findings"]
    return found


@pytest.mark.requirement("X-08", "X-17")
async def an_extra_permission_goes_when_an_approver_wants_it_away(local: Local) -> None:
    await local.onboard(NAME)
    connection = await local.assert_onboarded(NAME)
    before = await granted(local)
    tenant = await local.control("state")
    principal = connection["application"]["principal_id"]
    (api,) = {
        row["resourceId"] for row in tenant["appRoleAssignments"] if row["principalId"] == principal
    }
    grant = {"principalId": principal, "resourceId": api, "appRoleId": AUDIT_READ}
    await local.graph("POST", f"/servicePrincipals/{api}/appRoleAssignedTo", grant)

    async def seen() -> dict[str, Any] | None:
        await local.call("POST", f"/api/connections/{NAME}/verification", json={})
        await local.ended(NAME)
        found = await listed(local, "open")
        return found[0] if found else None

    finding = await until("the grant to be found", seen)
    assert (finding["name"], finding["verdict"]) == ("AuditLog.Read.All", "extra")
    assert finding["choices"] == ["accept", "remove"]
    assert finding["changed_by"]["activity"] == "Add app role assignment to service principal"
    assert (await local.get("/api/findings?state=open"))["findings"] == [finding]
    path = f"/api/connections/{NAME}/findings/{finding['fingerprint']}/decision"
    wish = {"decision": "remove", "reason": "nobody needs it"}
    refused = await local.call("POST", path, json=wish)
    assert refused.status_code == 403, refused.text
    answer = await local.call("POST", path, json=wish, caller="approver")
    assert answer.status_code in (200, 202), answer.text

    async def gone() -> bool:
        await local.ended(NAME)
        return bool(await listed(local, "closed"))

    await until("the grant to be taken away", gone)
    assert await granted(local) == before
    await local.assert_onboarded(NAME)
    (closed,) = await listed(local, "closed")
    assert closed["closed_why"] == "removed"
    history = (await local.get(f"/api/connections/{NAME}/history?limit=1000"))["entries"]
    what = [entry["what"] for entry in history if entry["what"].startswith("finding.")]
    assert what == ["finding.opened", "finding.decided", "finding.removed", "finding.closed"]
