"""Service principals, application permissions, delegated permissions."""

import base64
import uuid

import pytest

NOBODY = "11111111-2222-4333-8444-555555555555"


def joined(*guids: str) -> str:
    raw = b"".join(uuid.UUID(guid).bytes_le for guid in guids)
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


async def test_create_copies_from_the_application(admin, graph):
    application = await admin.application(tags=["HideApp"])
    tag = "WindowsAzureActiveDirectoryIntegratedApp"
    made = await admin.made(
        "/servicePrincipals", {"appId": application["appId"], "tags": [tag], "accountEnabled": True}
    )
    assert len(made) == 37
    assert made["id"] not in (application["id"], application["appId"])
    assert made["servicePrincipalNames"] == [application["appId"]]
    assert made["appOwnerOrganizationId"] == graph.tenant_id
    assert set(made["tags"]) == {tag, "HideApp"}
    again = await admin.post("/servicePrincipals", json={"appId": application["appId"]})
    assert again.status_code == 409
    assert again.json()["error"]["code"] == "Request_MultipleObjectsWithSameKeyValue"
    expression = f"servicePrincipalNames/any(c:c eq '{application['appId']}')"
    found = await admin.read("/servicePrincipals", params={"$filter": expression})
    assert [item["id"] for item in found["value"]] == [made["id"]]


async def test_upsert_by_app_id(admin):
    application = await admin.application()
    path = f"/servicePrincipals(appId='{application['appId']}')"
    prefer = {"Prefer": "create-if-missing"}
    assert (await admin.patch(path, json={"notes": "x"})).status_code == 404
    assert (await admin.patch(path, json={"notes": "x"}, headers=prefer)).status_code == 201
    assert (await admin.patch(path, json={"notes": "y"}, headers=prefer)).status_code == 204
    assert (await admin.read(path))["notes"] == "y"


async def test_owned_objects(automation, graph):
    application, principal = await automation.with_principal()
    path = f"/servicePrincipals/{graph.automation.object_id}/ownedObjects"
    found = (await automation.read(path))["value"]
    assert {item["id"] for item in found} == {application["id"], principal["id"]}


async def test_grant_list_and_revoke(admin):
    _, principal = await admin.with_principal()
    api = await admin.graph_principal()
    role = next(r for r in api["appRoles"] if r["value"] == "User.Read.All")
    body = {"principalId": principal["id"], "resourceId": api["id"], "appRoleId": role["id"]}
    granted = await admin.made(f"/servicePrincipals/{api['id']}/appRoleAssignedTo", body)
    assert len(granted["id"]) == 43
    assert granted["principalType"] == "ServicePrincipal"
    assert granted["resourceDisplayName"] == "Microsoft Graph"
    held = f"/servicePrincipals/{principal['id']}/appRoleAssignments"
    assert [g["id"] for g in (await admin.read(held))["value"]] == [granted["id"]]
    again = await admin.post(held, json=body)
    assert again.status_code == 400
    message = again.json()["error"]["message"]
    assert message == "Permission being assigned already exists on the object"
    one = f"/servicePrincipals/{api['id']}/appRoleAssignedTo/{granted['id']}"
    assert (await admin.patch(one, json={"appRoleId": role["id"]})).status_code == 405
    assert (await admin.delete(one)).status_code == 204
    assert (await admin.read(held))["value"] == []
    assert (await admin.delete(one)).status_code == 404


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"principalId": NOBODY}, "Not a valid reference update"),
        ({"resourceId": NOBODY}, "Not a valid reference update"),
        ({"appRoleId": NOBODY}, "was not found on application"),
        ({"appRoleId": None}, "A value is required"),
        ({"appRoleId": "User.Read.All"}, "appRoleId"),
    ],
)
async def test_grants_that_cannot_be(admin, change, message):
    _, principal = await admin.with_principal()
    api = await admin.graph_principal()
    good = {
        "principalId": principal["id"],
        "resourceId": api["id"],
        "appRoleId": api["appRoles"][0]["id"],
    }
    path = f"/servicePrincipals/{api['id']}/appRoleAssignedTo"
    answer = await admin.post(path, json=good | change)
    assert answer.status_code == 400
    assert message in answer.json()["error"]["message"]


async def test_grants_go_out_of_sight_with_their_principal(admin):
    application, principal = await admin.with_principal()
    await admin.admin("grant", app=application["appId"], role="User.Read.All")
    api = await admin.graph_principal()
    path = f"/servicePrincipals/{api['id']}/appRoleAssignedTo"
    assert principal["id"] in {g["principalId"] for g in await admin.every(path)}
    await admin.delete(f"/applications/{application['id']}")
    assert principal["id"] not in {g["principalId"] for g in await admin.every(path)}


async def test_delegated_grant(admin):
    _, client = await admin.with_principal()
    api = await admin.graph_principal()
    body = {
        "clientId": client["id"],
        "consentType": "AllPrincipals",
        "resourceId": api["id"],
        "scope": "User.Read",
    }
    made = await admin.made("/oauth2PermissionGrants", body)
    assert made["id"] == joined(client["id"], api["id"])
    assert made["principalId"] is None
    again = await admin.post("/oAuth2PermissionGrants", json=body)
    assert (again.status_code, again.json()["error"]["code"]) == (
        409,
        "Request_MultipleObjectsWithSameKeyValue",
    )
    one = f"/oauth2PermissionGrants/{made['id']}"
    assert (await admin.patch(one, json={"scope": "Group.Read.All"})).status_code == 204
    assert (await admin.read(one))["scope"] == "Group.Read.All"
    expression = f"clientId eq '{client['id']}' and consentType eq 'AllPrincipals'"
    found = await admin.read("/oauth2PermissionGrants", params={"$filter": expression})
    assert [item["id"] for item in found["value"]] == [made["id"]]
    held = await admin.read(f"/servicePrincipals/{client['id']}/oauth2PermissionGrants")
    assert [item["id"] for item in held["value"]] == [made["id"]]
    assert (await admin.delete(one)).status_code == 204
    assert (await admin.get(one)).status_code == 404
    assert (await admin.made("/oauth2PermissionGrants", body))["id"] == made["id"]


async def test_delegated_grant_for_a_missing_client(admin):
    api = await admin.graph_principal()
    body = {"clientId": NOBODY, "consentType": "AllPrincipals", "resourceId": api["id"]}
    answer = await admin.post("/oauth2PermissionGrants", json=body)
    assert answer.status_code == 400
    assert "queried reference-property objects" in answer.json()["error"]["message"]
