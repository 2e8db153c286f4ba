"""The admin interface, throttling, and the command line."""

import asyncio
import json
import signal
import ssl
import sys

import httpx
import pytest


async def test_traffic_is_recorded(admin, tmp_path):
    await admin.delete(f"{admin.running.admin}/traffic")
    await admin.token()
    made = await admin.application()
    await admin.get(f"/applications/{made['id']}?$select=id")
    assert await admin.look("traffic?count=1") == {"graph": 2, "token": 1}
    text = (await admin.get(f"{admin.running.admin}/traffic")).text
    first, second = (json.loads(line) for line in text.splitlines())
    assert set(first) == {
        "method",
        "url",
        "request_headers",
        "request_body",
        "status",
        "response_headers",
        "response_body",
        "app_roles",
    }
    assert (first["method"], first["status"]) == ("POST", 201)
    assert json.loads(first["request_body"])["displayName"] == "Connector"
    assert "authorization" not in first["request_headers"]
    assert "Application.ReadWrite.All" in first["app_roles"]
    assert second["response_body"]["id"] == made["id"]
    await admin.delete(f"{admin.running.admin}/traffic")
    assert await admin.look("traffic?count=1") == {"graph": 0, "token": 0}


async def test_bulk_changes(admin):
    made = await admin.admin(
        "tenant",
        users=[{"displayName": "Zoe", "userPrincipalName": "zoe@contoso.onmicrosoft.com"}],
        generate_users=3,
        groups=[
            {"displayName": "Inner", "members": ["zoe@contoso.onmicrosoft.com"]},
            {"displayName": "Outer", "members": ["Inner"], "isAssignableToRole": True},
        ],
        administrative_units=[{"displayName": "Branch", "members": ["Inner"]}],
        roles=[{"role": "Global Reader", "principal": "Outer"}],
        eligibilities=[{"role": "User Administrator", "principal": "zoe@contoso.onmicrosoft.com"}],
        update_users=[{"user": "zoe@contoso.onmicrosoft.com", "department": "Zoology"}],
    )
    assert len(made["users"]) == 4
    zoe = made["users"][0]
    assert (await admin.read(f"/users/{zoe}?$select=department"))["department"] == "Zoology"
    outer = made["groups"][1]
    found = await admin.read(f"/groups/{outer}/transitiveMembers/graph.user")
    assert [item["id"] for item in found["value"]] == [zoe]
    params = {"$filter": f"principalId eq '{zoe}'"}
    path = "/roleManagement/directory/roleEligibilityScheduleInstances"
    assert len((await admin.read(path, params=params))["value"]) == 1
    await admin.admin("tenant", delete_users=[zoe])
    assert (await admin.get(f"/users/{zoe}")).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {"people": []},
        {"users": [{"displayName": "No name"}]},
        {"roles": [{"role": "King", "principal": "Guests"}]},
        {"memberships": [{"group": "Guests", "member": "nobody@example"}]},
    ],
)
async def test_bad_bulk_changes(admin, body):
    answer = await admin.post(f"{admin.running.admin}/tenant", json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]


async def test_state(admin):
    application, principal = await admin.with_principal()
    path = f"/applications/{application['id']}"
    secret = await admin.made(f"{path}/addPassword", {}, status=200)
    gone = await admin.made(f"{path}/addPassword", {}, status=200)
    await admin.post(f"{path}/removePassword", json={"keyId": gone["keyId"]})
    granted = await admin.admin("grant", app=application["appId"], role="User.Read.All")
    state = await admin.look("state")
    found = next(a for a in state["applications"] if a["id"] == application["id"])
    assert (found["keyIds"], found["removedKeyIds"]) == ([secret["keyId"]], [gone["keyId"]])
    assert principal["id"] in {sp["id"] for sp in state["servicePrincipals"]}
    assert granted["id"] in {g["id"] for g in state["appRoleAssignments"]}
    assert secret["secretText"] not in json.dumps(state)


async def test_clock_moves(admin):
    before = await admin.look("clock")
    after = await admin.admin("clock", advance_seconds=3600)
    assert after["time"] - before["time"] >= 3600


async def test_throttling_by_token_bucket(admin):
    assert (await admin.get("/users?$top=1")).status_code == 200
    await admin.admin("throttling", enabled=True, scale=0.01)  # 50 resource units in 10 s
    statuses = []
    for _ in range(60):
        answer = await admin.get("/users")
        statuses.append(answer.status_code)
        if answer.status_code == 429:
            break
    assert answer.headers["x-ms-throttle-information"] == "ResourceUnitLimitExceeded"
    assert int(answer.headers["retry-after"]) >= 1
    assert statuses.count(200) >= 20
    await admin.admin("clock", advance_seconds=60)
    assert (await admin.get("/users")).status_code == 200


async def test_reports_have_a_bucket_of_their_own(admin):
    await admin.admin("throttling", enabled=True)
    path = "/reports/authenticationMethods/userRegistrationDetails"
    statuses = [(await admin.get(path)).status_code for _ in range(6)]
    assert statuses[:5] == [200] * 5
    assert statuses[5] == 429
    assert (await admin.get("/users")).status_code == 200


@pytest.mark.parametrize(
    ("path", "units"),
    [
        ("/users", 2),
        ("/users?$select=id", 1),
        ("/applications", 2),
        ("/organization", 1),
        ("/groups/{group}/members", 3),
        ("/groups/{group}/transitiveMembers", 5),
        ("/groups/{group}/transitiveMembers?$select=id&$top=5", 3),
    ],
)
async def test_resource_units(admin, path, units):
    group = (await admin.read("/groups?$top=1"))["value"][0]["id"]
    answer = await admin.get(path.replace("{group}", group))
    assert answer.headers["x-ms-resource-unit"] == str(units)


async def test_same_seed_same_tenant(admin, tls_folder, users):
    from emulators.graph.server import serving

    async with serving(tls=tls_folder, users=users) as twin:
        assert twin.tenant_id == admin.running.tenant_id
        assert twin.automation == admin.running.automation
    async with serving(tls=tls_folder, users=users, seed=2) as other:
        assert other.tenant_id != admin.running.tenant_id


async def test_command_line(tmp_path):
    traffic = tmp_path / "traffic.jsonl"
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "emulators.graph", "--port", "0", "--tls", str(tmp_path / "tls")),
        *("--clock", str(tmp_path / "clock"), "--users", "30", "--traffic", str(traffic)),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), 30)
        ready = json.loads(line)
        assert ready["ready"] is True
        assert ready["graph"] == f"https://127.0.0.1:{ready['port']}/v1.0"
        context = ssl.create_default_context(cafile=ready["ca_file"])
        async with httpx.AsyncClient(verify=context) as client:
            url = f"{ready['authority']}/{ready['tenant_id']}/oauth2/v2.0/token"
            form = {
                "grant_type": "client_credentials",
                "client_id": ready["automation"]["client_id"],
                "client_secret": ready["automation"]["client_secret"],
                "scope": "https://graph.microsoft.com/.default",
            }
            token = (await client.post(url, data=form)).json()["access_token"]
            headers = {"authorization": f"Bearer {token}"}
            answer = await client.get(f"{ready['graph']}/users?$top=999", headers=headers)
            assert len(answer.json()["value"]) == 30
    finally:
        process.send_signal(signal.SIGTERM)
        status = await asyncio.wait_for(process.wait(), 30)
    assert status == 0
    assert json.loads(traffic.read_text().splitlines()[0])["status"] == 200
