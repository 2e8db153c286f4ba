"""Replication delay: reads are behind writes until the clock has moved on."""

import pytest

HELPDESK = "729827e3-9c14-49f7-bb1b-9608f156bbb8"


@pytest.fixture
async def lagging(admin):
    await admin.admin("lag", seconds=60)
    return admin


async def later(client):
    await client.admin("clock", advance_seconds=61)


async def test_new_application_appears_later(lagging):
    made = await lagging.application()
    path = f"/applications/{made['id']}"
    assert (await lagging.get(path)).status_code == 404
    assert (await lagging.patch(path, json={"displayName": "B"})).status_code == 404
    assert (await lagging.post(f"{path}/addPassword", json={})).status_code == 404
    assert made["id"] not in {item["id"] for item in await lagging.every("/applications")}
    await later(lagging)
    assert (await lagging.get(path)).status_code == 200


async def test_upsert_does_not_make_a_second_application(lagging):
    path, prefer = "/applications(uniqueName='one')", {"Prefer": "create-if-missing"}
    first = await lagging.patch(path, json={"displayName": "A"}, headers=prefer)
    second = await lagging.patch(path, json={"displayName": "A"}, headers=prefer)
    assert (first.status_code, second.status_code) == (201, 204)
    assert (await lagging.get(path)).status_code == 404
    await later(lagging)
    assert (await lagging.read(path))["id"] == first.json()["id"]


async def test_service_principal_waits_for_its_application(lagging, automation):
    for client, status in ((lagging, 400), (automation, 403)):
        made = await client.application()
        answer = await client.post("/servicePrincipals", json={"appId": made["appId"]})
        assert answer.status_code == status
        await later(client)
        answer = await client.post("/servicePrincipals", json={"appId": made["appId"]})
        assert answer.status_code == 201


async def test_grants_and_roles_wait_for_the_principal(lagging):
    made = await lagging.application()
    api = await lagging.graph_principal()
    await later(lagging)
    principal = await lagging.made("/servicePrincipals", {"appId": made["appId"]})
    grant = {
        "principalId": principal["id"],
        "resourceId": api["id"],
        "appRoleId": api["appRoles"][0]["id"],
    }
    role = {"roleDefinitionId": HELPDESK, "principalId": principal["id"], "directoryScopeId": "/"}
    consent = {"clientId": principal["id"], "consentType": "AllPrincipals", "resourceId": api["id"]}
    writes = (
        (f"/servicePrincipals/{api['id']}/appRoleAssignedTo", grant, 400),
        ("/oauth2PermissionGrants", consent, 400),
        ("/roleManagement/directory/roleAssignments", role, 404),
    )
    for path, body, status in writes:
        assert (await lagging.post(path, json=body)).status_code == status
    await later(lagging)
    for path, body, _ in writes:
        assert (await lagging.post(path, json=body)).status_code == 201
    held = f"/servicePrincipals/{principal['id']}/appRoleAssignments"
    assert (await lagging.read(held))["value"] == []
    duplicate = await lagging.post(writes[0][0], json=grant)
    assert duplicate.status_code == 400  # the truth knows it already
    await later(lagging)
    assert len((await lagging.read(held))["value"]) == 1


async def test_revoked_grant_is_listed_for_a_while(admin):
    application, principal = await admin.with_principal()
    granted = await admin.admin("grant", app=application["appId"], role="User.Read.All")
    await admin.admin("lag", seconds=60)
    path = f"/servicePrincipals/{principal['id']}/appRoleAssignments"
    assert (await admin.delete(f"{path}/{granted['id']}")).status_code == 204
    assert len((await admin.read(path))["value"]) == 1
    await later(admin)
    assert (await admin.read(path))["value"] == []


async def test_token_endpoint_has_its_own_delay(admin):
    application, _ = await admin.with_principal()
    await admin.admin("lag", seconds=0, token_seconds=30)
    secret = await admin.made(f"/applications/{application['id']}/addPassword", {}, status=200)
    own = {"client_id": application["appId"], "client_secret": secret["secretText"]}
    assert (await admin.token(**own)).json()["error_codes"] == [7000215]
    fresh = await admin.application()
    own_fresh = {"client_id": fresh["appId"], "client_secret": "any"}
    assert (await admin.token(**own_fresh)).json()["error_codes"] == [700016]
    await admin.admin("clock", advance_seconds=31)
    assert (await admin.token(**own)).status_code == 200


async def test_delta_lags_too(lagging):
    body = await lagging.read("/users/delta?$deltatoken=latest")
    user = (await lagging.read("/users?$top=1"))["value"][0]["id"]
    await lagging.patch(f"/users/{user}", json={"jobTitle": "Later"})
    early = await lagging.read(body["@odata.deltaLink"])
    assert early["value"] == []
    await later(lagging)
    found = await lagging.read(early["@odata.deltaLink"])
    assert [item["id"] for item in found["value"]] == [user]
