"""Each known fault of Microsoft Graph, on demand."""

import asyncio

import httpx
import pytest

NOBODY = "11111111-2222-4333-8444-555555555555"
ROLES = "/roleManagement/directory/roleAssignments"
HELPDESK = "729827e3-9c14-49f7-bb1b-9608f156bbb8"


async def test_f1_new_application_not_found(admin):
    made = await admin.application()
    await admin.admin("faults", fault="F1", times=2)
    path = f"/applications/{made['id']}"
    answers = [await admin.get(path) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [404, 404, 200]
    assert made["id"] in answers[0].json()["error"]["message"]


async def test_f1_from_another_replica(admin):
    made = await admin.application()
    await admin.admin("faults", call="GET /applications/{id}", pattern="ok,404,ok")
    path = f"/applications/{made['id']}"
    assert [(await admin.get(path)).status_code for _ in range(4)] == [200, 404, 200, 200]


async def test_f1_for_one_object(admin):
    one, other = await admin.application(), await admin.application()
    await admin.admin("faults", call=f"GET /applications/{one['id']}", fault="F1")
    assert (await admin.get(f"/applications/{one['id']}")).status_code == 404
    assert (await admin.get(f"/applications/{other['id']}")).status_code == 200
    await admin.delete(f"{admin.running.admin}/faults")
    await admin.admin("faults", fault="F1", object=other["id"])
    assert (await admin.get(f"/applications/{one['id']}")).status_code == 200
    assert (await admin.get(f"/applications/{other['id']}")).status_code == 404


async def test_f2_no_backing_application(admin):
    made = await admin.application()
    await admin.admin("faults", fault="F2", times=1)
    answer = await admin.post("/servicePrincipals", json={"appId": made["appId"]})
    error = answer.json()["error"]
    assert answer.status_code == 400
    assert error["details"][0]["code"] == "NoBackingApplicationObject"
    assert error["message"].startswith(f"The appId '{made['appId']}' of the service principal")
    assert (await admin.post("/servicePrincipals", json={"appId": made["appId"]})).is_success


async def test_f3_backing_application_elsewhere(automation):
    made = await automation.application()
    await automation.admin("faults", fault="F3", times=1)
    path = f"/servicePrincipals(appId='{made['appId']}')"
    answer = await automation.patch(path, json={}, headers={"Prefer": "create-if-missing"})
    assert answer.status_code == 403
    assert "must in the local tenant" in answer.json()["error"]["message"]


async def test_f4_grants_before_replication(admin):
    _, principal = await admin.with_principal()
    api = await admin.graph_principal()
    await admin.admin("faults", fault="F4", seconds=300)
    assigned = await admin.post(
        f"/servicePrincipals/{api['id']}/appRoleAssignedTo",
        json={
            "principalId": principal["id"],
            "resourceId": api["id"],
            "appRoleId": api["appRoles"][0]["id"],
        },
    )
    assert assigned.status_code == 400
    assert "Not a valid reference update" in assigned.json()["error"]["message"]
    body = {"clientId": principal["id"], "consentType": "AllPrincipals", "resourceId": api["id"]}
    consented = await admin.post("/oauth2PermissionGrants", json=body)
    assert consented.status_code == 400
    assert "queried reference-property objects" in consented.json()["error"]["message"]
    await admin.admin("clock", advance_seconds=301)
    assert (await admin.post("/oauth2PermissionGrants", json=body)).status_code == 201


async def test_f5_role_assignment_before_replication(admin):
    _, principal = await admin.with_principal()
    await admin.admin("faults", fault="F5", times=1)
    body = {"roleDefinitionId": HELPDESK, "principalId": principal["id"], "directoryScopeId": "/"}
    statuses = [(await admin.post(ROLES, json=body)).status_code for _ in range(2)]
    assert statuses == [404, 201]


async def test_f6_no_microsoft_account_application(admin):
    made = await admin.application(signInAudience="AzureADandPersonalMicrosoftAccount")
    await admin.admin("faults", fault="F6", times=1)
    answer = await admin.patch(f"/applications/{made['id']}", json={"displayName": "B"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "Error_MsaAppDoesNotExist")


async def test_f7_injected(admin):
    made = await admin.application()
    await admin.admin("faults", fault="F7", times=1)
    answer = await admin.post(f"/applications/{made['id']}/addPassword", json={})
    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "Directory_ConcurrencyViolation"


async def test_f7_writes_too_close_together(admin):
    one, other = await admin.application(), await admin.application()
    await admin.admin("spacing", seconds=60)
    path = f"/applications/{one['id']}/addPassword"
    statuses = [(await admin.post(path, json={})).status_code for _ in range(2)]
    assert statuses == [200, 409]
    assert (await admin.post(f"/applications/{other['id']}/addPassword", json={})).is_success
    await admin.admin("clock", advance_seconds=61)
    assert (await admin.post(path, json={})).status_code == 200


async def test_f7_overlapping_writes(admin):
    made = await admin.application()
    await admin.admin("spacing", seconds=0.000001)
    await admin.admin("latency", seconds=0.3)
    path = f"/applications/{made['id']}/addPassword"
    answers = await asyncio.gather(admin.post(path, json={}), admin.post(path, json={}))
    assert sorted(answer.status_code for answer in answers) == [200, 409]


async def test_f8_new_secret_not_known_yet(admin):
    application, _ = await admin.with_principal()
    secret = await admin.made(f"/applications/{application['id']}/addPassword", {}, status=200)
    own = {"client_id": application["appId"], "client_secret": secret["secretText"]}
    await admin.admin("faults", fault="F8", object=application["appId"], pattern=[0, 1, 0])
    answers = [await admin.token(**own) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 401, 200]
    assert answers[1].json()["error_codes"] == [7000215]
    assert (await admin.token()).status_code == 200  # another application is not struck


async def test_f9_new_application_not_known_yet(admin):
    await admin.admin("faults", fault="F9", times=1)
    answers = [await admin.token() for _ in range(2)]
    assert [answer.status_code for answer in answers] == [400, 200]
    assert answers[0].json()["error_codes"] == [700016]


async def test_f10_removed_secret_lives_on(admin):
    application, _ = await admin.with_principal()
    path = f"/applications/{application['id']}"
    secret = await admin.made(f"{path}/addPassword", {}, status=200)
    own = {"client_id": application["appId"], "client_secret": secret["secretText"]}
    await admin.admin("faults", fault="F10", seconds=120)
    removed = await admin.post(f"{path}/removePassword", json={"keyId": secret["keyId"]})
    assert removed.status_code == 204
    assert len((await admin.read(path))["passwordCredentials"]) == 1
    assert (await admin.token(**own)).status_code == 200
    await admin.admin("clock", advance_seconds=121)
    assert (await admin.read(path))["passwordCredentials"] == []
    assert (await admin.token(**own)).status_code == 401


async def test_f11_token_without_roles(with_permissions, admin):
    client = await with_permissions("User.Read.All")
    await admin.admin("faults", fault="F11", times=1, object=client.client_id)
    await client.sign_in()
    assert (await client.get("/users")).status_code == 403
    await client.sign_in()
    assert (await client.get("/users")).status_code == 200


@pytest.mark.parametrize(
    ("call", "path", "status", "message"),
    [
        ("POST /oauth2PermissionGrants", "/oauth2PermissionGrants", 409, "already exists"),
        (f"POST {ROLES}", ROLES, 400, "conflicting object"),
        (
            "POST /servicePrincipals/{id}/appRoleAssignedTo",
            f"/servicePrincipals/{NOBODY}/appRoleAssignedTo",
            400,
            "already exists on the object",
        ),
    ],
)
async def test_f12_duplicates(admin, call, path, status, message):
    await admin.admin("faults", call=call, fault="F12")
    grant = {"clientId": NOBODY, "consentType": "AllPrincipals", "resourceId": NOBODY}
    answer = await admin.post(path, json=grant)
    assert answer.status_code == status
    assert message in answer.json()["error"]["message"]


async def test_f13_throttled_and_unavailable(admin):
    await admin.admin("faults", fault="F13", call="GET /users", times=1, retry_after=2.128)
    answer = await admin.get("/users")
    error = answer.json()["error"]
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "2.128")
    assert error["code"] == "TooManyRequests"
    assert error["innerError"]["status"] == "429"
    for status in (503, 504):
        await admin.admin("faults", fault="F13", call="GET /users", times=1, status=status)
        assert (await admin.get("/users")).status_code == status
    await admin.admin("faults", call="POST /token", fault="F13", times=1)
    assert (await admin.token()).status_code == 503
    assert (await admin.token()).status_code == 200


async def test_f14_delta_reset_and_replay(admin):
    await admin.admin("faults", fault="F14", call="GET /users/delta", times=1)
    answer = await admin.get("/users/delta?$select=id")
    assert answer.status_code == 410
    again = await admin.read(answer.headers["location"])
    ids = [item["id"] for item in again["value"]]
    await admin.admin("faults", fault="replay", call="GET /users/delta", times=1)
    repeated = [item["id"] for item in (await admin.read("/users/delta?$select=id"))["value"]]
    assert len(repeated) == len(ids) + 1
    assert set(repeated) == set(ids)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("F15", "CredentialInvalidLifetimeAsPerAppPolicy"),
        ("F16", "Directory_ResourceSizeExceeded"),
    ],
)
async def test_f15_and_f16_refused_secret(admin, fault, code):
    made = await admin.application()
    await admin.admin("faults", fault=fault, times=1)
    path = f"/applications/{made['id']}/addPassword"
    answer = await admin.post(path, json={})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)
    assert (await admin.post(path, json={})).status_code == 200


async def test_f17_token_endpoint_refuses(admin):
    await admin.admin("faults", fault="F17", times=1)
    assert (await admin.token()).json()["error_codes"] == [7000222]
    await admin.admin("faults", fault="F17", code=500011, times=1)
    assert (await admin.token()).json()["error_codes"] == [500011]


@pytest.mark.parametrize("status", [503, 504])
async def test_lost_answer_is_applied(admin, status):
    made = await admin.application()
    path = f"/applications/{made['id']}"
    call = "POST /applications/{id}/addPassword"
    await admin.admin("faults", call=call, fault="lost", status=status, times=1)
    assert (await admin.post(f"{path}/addPassword", json={})).status_code == status
    assert len((await admin.read(path))["passwordCredentials"]) == 1


async def test_dropped_connection_is_applied(admin):
    made = await admin.application()
    path = f"/applications/{made['id']}"
    await admin.admin("faults", call="POST /applications/{id}/addPassword", fault="drop", times=1)
    with pytest.raises(httpx.TransportError):
        await admin.post(f"{path}/addPassword", json={})
    assert len((await admin.read(path))["passwordCredentials"]) == 1


async def test_own_fault(admin):
    fault = {"status": 418, "code": "Teapot", "message": "Short.", "headers": {"X-Tea": "green"}}
    await admin.admin("faults", call="*", fault=fault, times=1)
    answer = await admin.get("/users")
    assert (answer.status_code, answer.headers["x-tea"]) == (418, "green")
    assert answer.json()["error"]["code"] == "Teapot"


async def test_chance_is_the_same_for_the_same_seed(admin):
    async def run() -> list[int]:
        made = await admin.admin("faults", call="GET /users", fault="F13", probability=0.5, seed=7)
        statuses = [(await admin.get("/users?$top=1")).status_code for _ in range(12)]
        await admin.delete(f"{admin.running.admin}/faults/{made['id']}")
        return statuses

    first = await run()
    assert set(first) == {200, 429}
    assert await run() == first


async def test_faults_are_listed_and_removed(admin):
    made = await admin.admin("faults", call="GET /users", fault="F13", times=1)
    await admin.get("/users")
    await admin.get("/users")
    (rule,) = await admin.look("faults")
    assert (rule["id"], rule["hits"], rule["seen"]) == (made["id"], 1, 2)
    url = f"{admin.running.admin}/faults"
    assert (await admin.delete(f"{url}/{made['id']}")).status_code == 204
    assert (await admin.delete(f"{url}/{made['id']}")).status_code == 404
    assert await admin.look("faults") == []


@pytest.mark.parametrize("body", [{}, {"fault": "F99"}, {"call": "GET /users"}])
async def test_bad_faults(admin, body):
    answer = await admin.post(f"{admin.running.admin}/faults", json=body)
    assert answer.status_code == 400
