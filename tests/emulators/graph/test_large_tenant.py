"""A tenant of a hundred thousand users, which costs nothing until it is read."""

import pytest


@pytest.fixture
def users() -> int:
    return 100_000


async def test_every_user_once(admin, users):
    found = await admin.every("/users?$select=id&$top=999")
    assert len(found) == users
    assert len({item["id"] for item in found}) == users


async def test_single_users(admin):
    page = await admin.read("/users?$top=3&$select=id,userPrincipalName")
    for user in page["value"]:
        assert (await admin.read(f"/users/{user['id']}"))["id"] == user["id"]
        assert (await admin.read(f"/users/{user['userPrincipalName']}"))["id"] == user["id"]


async def test_large_groups_page_right(admin, users):
    params = {"$filter": "displayName eq 'Finance Department'"}
    group = (await admin.read("/groups", params=params))["value"][0]["id"]
    found = await admin.every(f"/groups/{group}/members?$select=id&$top=999")
    wanted = len(range(0, users, 7))
    assert len(found) == wanted
    assert len({item["id"] for item in found}) == wanted


async def test_delta_starts_at_once(admin):
    body = await admin.read("/users/delta?$select=id", headers={"Prefer": "odata.maxpagesize=999"})
    assert len(body["value"]) == 999
    second = await admin.read(body["@odata.nextLink"])
    assert not {item["id"] for item in second["value"]} & {item["id"] for item in body["value"]}
