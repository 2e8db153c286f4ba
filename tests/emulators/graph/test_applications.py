"""Applications and their soft delete."""

import pytest

NOBODY = "11111111-2222-4333-8444-555555555555"
CREATE = {"Prefer": "create-if-missing"}


async def test_create_answers_the_whole_entity(admin, graph):
    answer = await admin.post("/applications", json={"displayName": "A"})
    body = answer.json()
    assert answer.status_code == 201
    assert len(body) == 39  # 38 properties and @odata.context
    assert body["signInAudience"] == "AzureADMyOrg"
    assert body["@odata.context"].endswith("$metadata#applications/$entity")
    location = f"https://graph.microsoft.com/v2/{graph.tenant_id}/directoryObjects/{body['id']}/"
    assert answer.headers["location"].startswith(location)
    for name in ("request-id", "client-request-id", "x-ms-ags-diagnostic", "x-ms-resource-unit"):
        assert answer.headers[name]
    assert answer.headers["content-type"].startswith("application/json;odata.metadata=minimal")
    assert body["id"] != body["appId"]


async def test_names_are_not_unique(admin):
    first, second = await admin.application("Same"), await admin.application("Same")
    assert first["id"] != second["id"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"displayName": None},
        {"displayName": 5},
        {"displayName": "A", "unknown": 1},
        {"displayName": "A", "web": {"redirectUris": "not a list"}},
        {"displayName": "A", "signInAudience": "Everyone"},
        {"displayName": "A", "id": NOBODY},
        {"displayName": "A", "passwordCredentials": [{"displayName": "x"}]},
        {
            "displayName": "A",
            "requiredResourceAccess": [
                {"resourceAppId": NOBODY, "resourceAccess": [{"id": NOBODY, "type": "Both"}]}
            ],
        },
    ],
)
async def test_bad_bodies(admin, body):
    answer = await admin.post("/applications", json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "Request_BadRequest"


async def test_broken_json(admin):
    answer = await admin.post(
        "/applications", content=b"{", headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 400


async def test_upsert_by_unique_name(admin):
    path = "/applications(uniqueName='conn-1')"
    assert (await admin.patch(path, json={"displayName": "A"})).status_code == 404
    first = await admin.patch(path, json={"displayName": "A"}, headers=CREATE)
    assert first.status_code == 201
    again = await admin.patch(path, json={"displayName": "B"}, headers=CREATE)
    assert (again.status_code, again.content) == (204, b"")
    body = await admin.read(path)
    assert (body["id"], body["displayName"]) == (first.json()["id"], "B")
    changed = await admin.patch(f"/applications/{body['id']}", json={"uniqueName": "other"})
    assert changed.status_code == 400


async def test_alternate_key_and_filter(admin):
    made = await admin.application()
    for path in (
        f"/applications(appId='{made['appId']}')",
        f"/Applications(appId=%27{made['appId']}%27)",
        f"/applications/{made['id']}",
    ):
        assert (await admin.read(path))["id"] == made["id"]
    found = await admin.read("/applications", params={"$filter": f"appId eq '{made['appId']}'"})
    assert [item["id"] for item in found["value"]] == [made["id"]]


async def test_collections_are_replaced(admin):
    made = await admin.application(web={"redirectUris": ["https://a.example/x"]}, tags=["one"])
    path = f"/applications/{made['id']}"
    change = {
        "@odata.type": "#microsoft.graph.application",
        "web": {"redirectUris": ["https://b.example/y"]},
        "tags": [],
    }
    answer = await admin.patch(path, json=change)
    assert (answer.status_code, answer.content) == (204, b"")
    body = await admin.read(path)
    assert body["web"]["redirectUris"] == ["https://b.example/y"]
    assert body["web"]["implicitGrantSettings"]["enableIdTokenIssuance"] is False
    assert body["tags"] == []


async def test_enabled_scope_cannot_be_taken_away(admin):
    scope = {
        "id": NOBODY,
        "isEnabled": True,
        "type": "User",
        "value": "run",
        "adminConsentDescription": "Run",
        "adminConsentDisplayName": "Run",
    }
    made = await admin.application(api={"oauth2PermissionScopes": [scope]})
    path, empty = f"/applications/{made['id']}", {"api": {"oauth2PermissionScopes": []}}
    refused = await admin.patch(path, json=empty)
    assert refused.status_code == 400
    assert "unless disabled first" in refused.json()["error"]["message"]
    off = {"api": {"oauth2PermissionScopes": [scope | {"isEnabled": False}]}}
    assert (await admin.patch(path, json=off)).status_code == 204
    assert (await admin.patch(path, json=empty)).status_code == 204


async def test_missing_object(admin):
    answer = await admin.get(f"/applications/{NOBODY}", headers={"client-request-id": NOBODY})
    error = answer.json()["error"]
    assert answer.status_code == 404
    assert error["code"] == "Request_ResourceNotFound"
    assert error["message"] == (
        f"Resource '{NOBODY}' does not exist or one of its queried reference-property objects "
        "are not present."
    )
    assert error["innerError"]["client-request-id"] == NOBODY
    assert not error["innerError"]["date"].endswith("Z")
    assert answer.headers["content-type"] == "application/json"


async def test_soft_delete_restore_and_purge(admin):
    application, principal = await admin.with_principal()
    path = f"/applications/{application['id']}"
    assert (await admin.delete(path)).status_code == 204
    assert (await admin.get(path)).status_code == 404
    assert (await admin.get(f"/servicePrincipals/{principal['id']}")).status_code == 404
    for cast in ("graph.application", "microsoft.graph.application"):
        found = await admin.read(f"/directory/deletedItems/{cast}")
        assert [item["id"] for item in found["value"]] == [application["id"]]
    assert (await admin.read(f"/directory/deletedItems/{application['id']}"))["deletedDateTime"]
    back = await admin.post(f"/directory/deletedItems/{application['id']}/restore")
    assert (back.status_code, back.json()["id"]) == (200, application["id"])
    assert (await admin.read(path))["deletedDateTime"] is None
    assert (await admin.get(f"/servicePrincipals/{principal['id']}")).status_code == 200
    await admin.delete(path)
    gone = await admin.delete(f"/directory/deletedItems/{application['id']}")
    assert gone.status_code == 204
    assert (await admin.get(f"/directory/deletedItems/{application['id']}")).status_code == 404


async def test_deleted_items_last_thirty_days(admin):
    made = await admin.application()
    await admin.delete(f"/applications/{made['id']}")
    await admin.admin("clock", advance_seconds=31 * 86400)
    await admin.sign_in()
    assert (await admin.get(f"/directory/deletedItems/{made['id']}")).status_code == 404


async def test_owners(admin, graph):
    made = await admin.application()
    path = f"/applications/{made['id']}/owners"
    user = (await admin.read("/users?$top=1"))["value"][0]["id"]
    own = (await admin.read(path))["value"]
    assert [item["@odata.type"] for item in own] == ["#microsoft.graph.servicePrincipal"]
    reference = {"@odata.id": f"https://graph.microsoft.com/v1.0/directoryObjects/{user}"}
    assert (await admin.post(f"{path}/$ref", json=reference)).status_code == 204
    again = await admin.post(f"{path}/$ref", json=reference)
    assert again.status_code == 400
    assert again.json()["error"]["message"].endswith("modified properties: 'owners'.")
    assert len((await admin.read(path))["value"]) == 2
    assert (await admin.delete(f"{path}/{user}/$ref")).status_code == 204
    assert len((await admin.read(path))["value"]) == 1
    broken = await admin.post(f"{path}/$ref", json={"@odata.id": "nonsense"})
    assert broken.status_code == 400


async def test_federated_credentials(admin):
    made = await admin.application()
    path = f"/applications/{made['id']}/federatedIdentityCredentials"
    body = {
        "name": "Testing",
        "issuer": "https://issuer.example",
        "subject": "repo:x",
        "audiences": ["api://AzureADTokenExchange"],
    }
    created = await admin.made(path, body)
    assert (await admin.post(path, json=body)).status_code == 409
    for key in (f"/{created['id']}", "/Testing", "(name='Testing')"):
        assert (await admin.read(path + key))["subject"] == "repo:x"
    change = await admin.patch(f"{path}/Testing", json={"subject": "repo:y"})
    assert change.status_code == 204
    assert (await admin.read(path))["value"][0]["subject"] == "repo:y"
    assert (await admin.delete(f"{path}/{created['id']}")).status_code == 204
    assert (await admin.read(path))["value"] == []
