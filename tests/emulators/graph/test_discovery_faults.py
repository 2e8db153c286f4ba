"""Faults of reading many accounts, as clients see them."""

import httpx
import pytest

from emulators.graph.delta_parts import STRANGER
from emulators.graph.discovery_faults import NAMED

USERS = "/users?$select=id&$top=50"
MEMBERS = "Finance Department"


async def fault(client, name, **more):
    return await client.admin("faults", fault=name, **more)


async def group_id(client, name):
    found = await client.read("/groups", params={"$filter": f"displayName eq '{name}'"})
    return found["value"][0]["id"]


async def every_delta(client, path):
    body = await client.read(path)
    pages = [body]
    while "@odata.nextLink" in body:
        body = await client.read(body["@odata.nextLink"])
        pages.append(body)
    return pages


@pytest.mark.parametrize("name", sorted(NAMED))
async def test_every_name_is_a_fault(admin, name):
    rule = await fault(admin, name)
    known = {row["id"]: row for row in await admin.look("faults")}
    assert known[rule["id"]]["name"] == name


async def test_an_unknown_name_is_refused(graph, admin):
    answer = await admin.post(f"{graph.admin}/faults", json={"fault": "DF-99"})
    assert answer.status_code == 400
    assert "DF-01" in answer.json()["error"]


async def test_every_25th_request(admin):
    await fault(admin, "DF-01")
    answers = [await admin.get("/organization") for _ in range(50)]
    assert [a.status_code for a in answers] == ([200] * 24 + [429]) * 2
    assert answers[24].headers["Retry-After"] == "1"


async def test_waits_as_told(admin):
    await fault(admin, "DF-02", times=1)
    answer = await admin.get(USERS)
    assert answer.status_code == 429
    assert "Retry-After" not in answer.headers
    await fault(admin, "DF-03")
    assert (await admin.get(USERS)).headers["Retry-After"] == "2.128"


async def test_only_a_further_page_expires(admin):
    await fault(admin, "DF-09")
    first = await admin.read(USERS)
    refused = await admin.get(first["@odata.nextLink"])
    assert refused.status_code == 400
    assert refused.json()["error"]["code"] == "Directory_ExpiredPageToken"
    assert len(await admin.every(USERS)) == 120


async def test_all_tokens_that_were_given_out_die(admin):
    await admin.admin("paging", lifetime_seconds=60)
    old = (await admin.read(USERS))["@odata.nextLink"]
    delta = (await admin.read("/users/delta", headers={"Prefer": "odata.maxpagesize=50"}))[
        "@odata.nextLink"
    ]
    assert (await admin.get(old)).status_code == 200
    await admin.admin("paging", expire=True)
    assert [(await admin.get(link)).status_code for link in (old, delta)] == [400, 400]
    fresh = (await admin.read(USERS))["@odata.nextLink"]
    assert (await admin.get(fresh)).status_code == 200
    await admin.admin("clock", advance_seconds=61)
    await admin.sign_in()
    assert (await admin.get(fresh)).status_code == 400


async def test_a_page_fails_for_good(admin):
    await fault(admin, "DF-08", pattern="ok,500", last=True)
    second = (await admin.read(USERS))["@odata.nextLink"]
    third = (await admin.read(second))["@odata.nextLink"]
    assert [(await admin.get(third)).status_code for _ in range(3)] == [500, 500, 500]


@pytest.mark.parametrize("name", ["DF-12", "short"])
async def test_empty_and_short_pages_lose_nothing(admin, name):
    await fault(admin, name, call="GET /users")
    body = await admin.read(USERS)
    found, sizes, links = body["value"], [len(body["value"])], set()
    while "@odata.nextLink" in body:
        assert body["@odata.nextLink"] not in links
        links.add(body["@odata.nextLink"])
        body = await admin.read(body["@odata.nextLink"])
        found += body["value"]
        sizes.append(len(body["value"]))
    assert len({row["id"] for row in found}) == len(found) == 120
    assert sizes.count(0) == 3 if name == "DF-12" else set(sizes) == {25, 20}


async def test_smaller_pages(admin):
    await fault(admin, "DF-13", largest=20)
    refused = await admin.get(USERS)
    assert refused.status_code == 400
    assert refused.json()["error"]["message"].startswith("Cannot query data for more than 20")
    assert len(await admin.every("/users?$select=id&$top=20")) == 120


async def test_sign_in_activity_has_pages_of_500(admin, with_permissions):
    path = "/users?$select=id,signInActivity&$top="
    assert (await admin.get(path + "999")).status_code == 400
    assert (await admin.get(path + "500")).status_code == 200
    narrow = await with_permissions("User.Read.All")
    assert (await narrow.get(path + "500")).status_code == 403


async def test_ends_too_early(admin):
    await fault(admin, "DF-18")
    assert len(await admin.every(USERS)) == 50
    await admin.admin("faults", fault="DF-31", times=1)
    assert await admin.every(USERS) == []
    assert len(await admin.every(USERS)) == 120


@pytest.mark.parametrize("effect", ["partial", "drop", "hang"])
async def test_connections_break(admin, effect):
    await fault(admin, effect, call="GET /users", times=1, hold=0.01)
    with pytest.raises(httpx.TransportError):
        await admin.get(USERS)
    assert len(await admin.every(USERS)) == 120


async def test_no_body(admin):
    identity = await group_id(admin, MEMBERS)
    await fault(admin, "DF-30")
    answer = await admin.get(f"/groups/{identity}/members")
    assert (answer.status_code, answer.content) == (500, b"")
    assert answer.headers["request-id"]


async def test_a_token_that_is_not_known(admin):
    link = (await every_delta(admin, "/users/delta"))[-1]["@odata.deltaLink"]
    await fault(admin, "DF-21", times=1)
    answer = await admin.get(link)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "syncStateNotFound")
    await fault(admin, "DF-20", times=1)
    assert (await admin.get(link)).status_code == 410


async def test_delta_in_disorder_says_the_same(admin):
    plain = await every_delta(admin, "/users/delta?$select=id")
    rows = [row for page in plain for row in page["value"]]
    await fault(admin, "DF-23")
    mixed = [
        r for page in await every_delta(admin, "/users/delta?$select=id") for r in page["value"]
    ]
    assert len(mixed) > len(rows) + 2
    there: dict[str, bool] = {}
    for row in mixed:
        there[row["id"]] = "@removed" not in row
    assert there.pop(STRANGER) is False
    assert there == dict.fromkeys((row["id"] for row in rows), True)


async def test_a_group_in_parts(admin):
    identity = await group_id(admin, MEMBERS)
    path = "/groups/delta?$select=id,displayName,members"
    await fault(admin, "DF-24", members=5)
    rows = [r for page in await every_delta(admin, path) for r in page["value"]]
    parts = [r["members@delta"] for r in rows if r["id"] == identity]
    assert {len(part) for part in parts} <= {5, 3}
    listed = await admin.every(f"/groups/{identity}/members?$select=id&$top=999")
    assert [m["id"] for part in parts for m in part] == [m["id"] for m in listed]


async def test_a_group_of_many(admin):
    made = await admin.admin("tenant", groups=[{"displayName": "All", "first_users": 100}])
    assert len(await admin.every(f"/groups/{made['groups'][0]}/members?$select=id")) == 100


async def test_principals_are_left_out(admin):
    principal = await admin.graph_principal()
    made = await admin.admin(
        "tenant", groups=[{"displayName": "P", "members": [principal["id"], "#1"]}]
    )
    path = f"/groups/{made['groups'][0]}/members"
    assert len(await admin.every(path)) == 2
    await fault(admin, "DF-27")
    assert [row["@odata.type"] for row in await admin.every(path)] == ["#microsoft.graph.user"]


async def test_deleted_and_restored_in_delta(admin):
    link = (await every_delta(admin, "/users/delta?$select=id"))[-1]["@odata.deltaLink"]
    await admin.admin("tenant", delete_users=["#1", "#2"])
    first = await admin.read(link)
    assert {row["@removed"]["reason"] for row in first["value"]} == {"changed"}
    await admin.admin("tenant", restore_users=["#2"])
    (back,) = (await admin.read(first["@odata.deltaLink"]))["value"]
    assert "@removed" not in back


async def test_the_share_of_the_limit_is_told(graph, admin):
    await admin.admin("throttling", scale=20 / 5000)  # 20 units in 10 seconds
    answers = [await admin.get("/organization") for _ in range(22)]
    told = [a.headers.get("x-ms-throttle-limit-percentage") for a in answers]
    assert told[:15] == [None] * 15
    assert told[16:20] == ["0.85", "0.90", "0.95", "1.00"]
    assert {a.headers["x-ms-resource-unit"] for a in answers} == {"1"}
    last = answers[-1]
    assert last.status_code == 429
    assert last.headers["x-ms-throttle-information"] == "ResourceUnitLimitExceeded"
    assert last.headers["x-ms-throttle-scope"].startswith("Tenant_Application/Read/")


async def test_a_batch_costs_what_is_in_it(graph, admin):
    await admin.delete(f"{graph.admin}/usage")
    identity = await group_id(admin, MEMBERS)
    path = f"/groups/{identity}/members?$select=id&$top=20"
    body = {"requests": [{"id": str(n), "method": "GET", "url": path} for n in range(20)]}
    answer = await admin.post("/$batch", json=body)
    assert "x-ms-resource-unit" not in answer.headers
    assert {r["headers"]["x-ms-resource-unit"] for r in answer.json()["responses"]} == {"2"}
    used = await admin.look("usage")
    assert (used["http"], used["calls"], used["units"]) == (2, 21, 41)
