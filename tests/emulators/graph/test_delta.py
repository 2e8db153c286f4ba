"""Delta queries on users and groups."""

import pytest


async def all_pages(client, path, **more):
    """Every item, and the deltaLink of the last page."""
    body = await client.read(path, **more)
    found = list(body["value"])
    while "@odata.nextLink" in body:
        assert "@odata.deltaLink" not in body
        body = await client.read(body["@odata.nextLink"], **more)
        found += body["value"]
    return found, body["@odata.deltaLink"]


@pytest.mark.parametrize("path", ["/users/delta()", "/users/delta"])
async def test_first_round_brings_everybody(admin, users, path):
    prefer = {"Prefer": "odata.maxpagesize=50"}
    found, link = await all_pages(
        admin, f"{path}?$select=displayName,accountEnabled", headers=prefer
    )
    assert len({item["id"] for item in found}) == users
    assert set(found[0]) == {"id", "displayName", "accountEnabled"}
    again, _ = await all_pages(admin, link)
    assert again == []


async def test_changes_of_users(admin):
    found, link = await all_pages(admin, "/users/delta?$select=displayName,jobTitle")
    changed, deleted = found[50]["id"], found[51]["id"]
    await admin.patch(f"/users/{changed}", json={"jobTitle": "Pilot"})
    await admin.delete(f"/users/{deleted}")
    made = await admin.admin(
        "tenant",
        users=[{"displayName": "N", "userPrincipalName": "n@contoso.onmicrosoft.com"}],
    )
    changes, later = await all_pages(admin, link)
    by_id = {item["id"]: item for item in changes}
    assert by_id[changed]["jobTitle"] == "Pilot"
    assert by_id[deleted] == {"id": deleted, "@removed": {"reason": "changed"}}
    assert by_id[made["users"][0]]["displayName"] == "N"
    assert len(changes) == 3
    await admin.delete(f"/directory/deletedItems/{deleted}")
    purged, _ = await all_pages(admin, later)
    assert purged == [{"id": deleted, "@removed": {"reason": "deleted"}}]


async def test_minimal_answers(admin):
    found, link = await all_pages(admin, "/users/delta?$select=displayName,jobTitle")
    await admin.patch(f"/users/{found[50]['id']}", json={"jobTitle": "Pilot"})
    prefer = {"Prefer": "return=minimal"}
    changes, _ = await all_pages(admin, link, headers=prefer)
    assert changes == [{"id": found[50]["id"], "jobTitle": "Pilot"}]


async def test_changes_of_members(admin):
    groups, link = await all_pages(admin, "/groups/delta?$select=displayName,members")
    by_name = {item["displayName"]: item for item in groups}
    tier0 = by_name["Tier 0 Admins"]
    assert len(tier0["members@delta"]) == 2
    user = (await admin.read("/users?$top=100&$select=id"))["value"][90]["id"]
    old = next(
        m["id"] for m in tier0["members@delta"] if m["@odata.type"] == "#microsoft.graph.user"
    )
    await admin.admin(
        "tenant",
        memberships=[{"group": "Tier 0 Admins", "member": user}],
        remove_memberships=[{"group": "Tier 0 Admins", "member": old}],
    )
    changes, _ = await all_pages(admin, link)
    assert [item["id"] for item in changes] == [tier0["id"]]
    members = {item["id"]: item for item in changes[0]["members@delta"]}
    assert "@removed" not in members[user]
    assert members[old]["@removed"] == {"reason": "deleted"}


async def test_from_now_on(admin):
    body = await admin.read("/groups/delta?$deltatoken=latest")
    assert body["value"] == []
    made = await admin.admin("tenant", groups=[{"displayName": "Fresh"}])
    changes, _ = await all_pages(admin, body["@odata.deltaLink"])
    assert [item["id"] for item in changes] == made["groups"]


@pytest.mark.parametrize("option", ["$top=5", "$expand=members", "$orderby=displayName"])
async def test_options_that_delta_refuses(admin, option):
    assert (await admin.get(f"/users/delta?{option}")).status_code == 400


async def test_token_lives_seven_days(admin, users):
    _, link = await all_pages(admin, "/users/delta?$select=displayName")
    await admin.admin("clock", advance_seconds=8 * 86400)
    await admin.sign_in()
    answer = await admin.get(link)
    assert answer.status_code == 410
    found, _ = await all_pages(admin, answer.headers["location"])
    assert len(found) == users
    assert set(found[0]) == {"id", "displayName"}


async def test_broken_token(admin):
    assert (await admin.get("/users/delta?$deltatoken=nonsense")).status_code == 400


async def test_changes_of_owners(admin):
    groups, link = await all_pages(admin, "/groups/delta?$select=displayName,owners")
    assert all("members@delta" not in item for item in groups)
    user = (await admin.read("/users?$top=1&$select=id"))["value"][0]["id"]
    group = groups[0]["id"]
    reference = {"@odata.id": f"https://graph.microsoft.com/v1.0/directoryObjects/{user}"}
    await admin.post(f"/groups/{group}/owners/$ref", json=reference)
    changes, link = await all_pages(admin, link)
    owner = {"@odata.type": "#microsoft.graph.user", "id": user}
    assert [item["owners@delta"] for item in changes] == [[owner]]
    await admin.delete(f"/groups/{group}/owners/{user}/$ref")
    changes, _ = await all_pages(admin, link)
    assert changes[0]["owners@delta"] == [owner | {"@removed": {"reason": "deleted"}}]


async def test_changes_of_role_holders(admin):
    select = "$select=displayName,roleTemplateId,members"
    await admin.post(
        "/directoryRoles", json={"roleTemplateId": "fe930be7-5e62-47db-91af-98c3a49a38b1"}
    )
    roles, link = await all_pages(admin, f"/directoryRoles/delta?{select}")
    role = next(item for item in roles if item["displayName"] == "User Administrator")
    user = (await admin.read("/users?$top=1&$select=id"))["value"][0]["id"]
    await admin.admin("tenant", roles=[{"role": "User Administrator", "principal": user}])
    changes, _ = await all_pages(admin, link)
    assert [item["id"] for item in changes] == [role["id"]]
    assert [item["id"] for item in changes[0]["members@delta"]] == [user]


async def test_changes_of_service_principals(admin):
    found, link = await all_pages(admin, "/servicePrincipals/delta?$select=appId,displayName")
    listed = (await admin.read("/servicePrincipals?$select=id&$top=999"))["value"]
    assert {item["id"] for item in found} == {item["id"] for item in listed}
    made = await admin.post("/applications", json={"displayName": "Fresh"})
    app_id = made.json()["appId"]
    principal = await admin.post("/servicePrincipals", json={"appId": app_id})
    changes, link = await all_pages(admin, link)
    assert [item["appId"] for item in changes] == [app_id]
    await admin.delete(f"/servicePrincipals/{principal.json()['id']}")
    changes, _ = await all_pages(admin, link)
    assert changes == [{"id": principal.json()["id"], "@removed": {"reason": "changed"}}]


async def test_a_new_group_comes_with_its_members(admin):
    user = (await admin.read("/users?$top=1&$select=id"))["value"][0]["id"]
    _, link = await all_pages(admin, "/groups/delta?$select=displayName,members")
    await admin.admin("tenant", groups=[{"displayName": "Fresh", "members": [user]}])
    (change,), _ = await all_pages(admin, link)
    assert [member["id"] for member in change["members@delta"]] == [user]
