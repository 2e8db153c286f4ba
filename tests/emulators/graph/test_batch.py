"""JSON batching."""

import pytest

NOBODY = "11111111-2222-4333-8444-555555555555"
JSON = {"Content-Type": "application/json"}


async def run(client, *requests):
    body = await client.made("/$batch", {"requests": list(requests)}, status=200)
    return {answer["id"]: answer for answer in body["responses"]}, body["responses"]


async def test_items_have_their_own_status(admin):
    answers, listed = await run(
        admin,
        {"id": "1", "method": "GET", "url": "/users?$top=2&$select=id"},
        {"id": "2", "method": "GET", "url": f"/users/{NOBODY}"},
        {
            "id": "3",
            "method": "POST",
            "url": "/applications",
            "headers": JSON,
            "body": {"displayName": "A"},
        },
        {
            "id": "4",
            "method": "GET",
            "url": "/users?$count=true&$top=1",
            "headers": {"ConsistencyLevel": "eventual"},
        },
    )
    assert [answers[i]["status"] for i in "1234"] == [200, 404, 201, 200]
    assert len(answers["1"]["body"]["value"]) == 2
    assert answers["4"]["body"]["@odata.count"] > 0
    assert [answer["id"] for answer in listed] != ["1", "2", "3", "4"]  # order is not kept
    assert (await admin.get(f"/applications/{answers['3']['body']['id']}")).status_code == 200


async def test_dependents_of_a_failure(admin):
    answers, _ = await run(
        admin,
        {"id": "1", "method": "GET", "url": f"/users/{NOBODY}"},
        {"id": "2", "method": "GET", "url": "/organization", "dependsOn": ["1"]},
        {"id": "3", "method": "GET", "url": "/organization", "dependsOn": ["2"]},
    )
    assert [answers[i]["status"] for i in "123"] == [404, 424, 424]


async def test_throttled_item(admin):
    await admin.admin("faults", fault="F13", call="GET /organization", times=1, retry_after=3)
    answers, _ = await run(
        admin,
        {"id": "1", "method": "GET", "url": "/organization"},
        {"id": "2", "method": "GET", "url": "/users?$top=1"},
    )
    assert [answers[i]["status"] for i in "12"] == [429, 200]
    assert answers["1"]["headers"]["Retry-After"] == "3"


async def test_permissions_hold_in_a_batch(with_permissions):
    client = await with_permissions("User.Read.All")
    answers, _ = await run(
        client,
        {"id": "1", "method": "GET", "url": "/users?$top=1"},
        {"id": "2", "method": "GET", "url": "/groups?$top=1"},
    )
    assert [answers[i]["status"] for i in "12"] == [200, 403]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"requests": []},
        {"requests": [{"id": "1", "method": "GET"}]},
        {"requests": [{"id": "1", "method": "BREW", "url": "/users"}]},
        {"requests": [{"id": "1", "method": "POST", "url": "/users", "body": {}}]},
        {"requests": [{"id": "1", "method": "GET", "url": "/users"}] * 2},
        {"requests": [{"id": str(n), "method": "GET", "url": "/users"} for n in range(21)]},
    ],
)
async def test_bad_batches(admin, body):
    assert (await admin.post("/$batch", json=body)).status_code == 400
