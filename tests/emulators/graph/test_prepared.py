"""A large tenant's pages: the bytes are those that are rendered anew each time."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from emulators.graph.prepared import Prepared
from emulators.graph.server import Running, serving
from tests.emulators.graph.conftest import Client

USERS, GROUPS = 1500, 30
READS = (
    "/users?$select=id,userPrincipalName,accountEnabled&$top=999",
    "/users?$top=500",
    "/users?$count=true&$top=999&$filter=endsWith(mail,'x')",
    "/groups?$top=20",
    "/reports/authenticationMethods/userRegistrationDetails?$top=999",
)
EVENTUAL = {"ConsistencyLevel": "eventual"}


@pytest.fixture
async def graph(tls_folder: Path) -> AsyncIterator[Running]:
    async with serving(tls=tls_folder, users=USERS, groups=GROUPS) as running:
        yield running


async def chain(client: Client, path: str) -> list[bytes]:
    """The bodies of all pages, without what names the server."""
    found, link = [], path
    while link:
        answer = await client.get(link, headers=EVENTUAL)
        assert answer.status_code == 200, answer.text
        found.append(answer.content.replace(client.running.authority.encode(), b""))
        link = answer.json().get("@odata.nextLink", "")
    return found


def without_prepared_pages(graph: Running) -> None:
    graph.server.tenant.prepared.close()
    graph.server.tenant.prepared = Prepared()


async def groups(client: Client) -> list[str]:
    return [row["id"] for row in await client.every("/groups?$top=999&$select=id")]


async def test_the_same_bytes_as_rendered_anew(graph, admin):
    first = [await chain(admin, path) for path in READS]
    again = [await chain(admin, path) for path in READS]
    without_prepared_pages(graph)
    plain = [await chain(admin, path) for path in READS]
    assert first == again == plain
    assert sum(map(len, plain)) > len(READS)


async def test_batches_of_members(graph, admin):
    ids = await groups(admin)
    requests = [
        {"id": str(n), "method": "GET", "url": f"/groups/{group}/members?$top=999&$select=id"}
        for n, group in enumerate(ids[:20])
    ]
    first = (await admin.post("/$batch", json={"requests": requests})).content
    again = (await admin.post("/$batch", json={"requests": requests})).content
    without_prepared_pages(graph)
    plain = (await admin.post("/$batch", json={"requests": requests})).content
    assert first == again == plain
    assert plain.count(b"#microsoft.graph.user") == 20 * 50


async def test_members_of_group_g(graph, admin):
    users = graph.server.tenant.users
    names = {row["displayName"]: row["id"] for row in await admin.every("/groups?$top=999")}
    found = await admin.every(f"/groups/{names['Group 000029']}/members?$select=id")
    assert {row["id"] for row in found} == {users.id_of((7 * 29 + k) % USERS) for k in range(50)}


async def test_a_change_shows_at_once(admin):
    path = "/users?$select=id,jobTitle&$top=999"
    before = await admin.every(path)
    await admin.admin("tenant", delete_users=["#3"], update_users=[{"user": "#4", "jobTitle": "X"}])
    after = await admin.every(path)
    assert len(before) - len(after) == 1
    assert [row["jobTitle"] for row in after].count("X") == 1
    answer = await admin.patch(f"/users/{after[0]['id']}", json={"jobTitle": "Y"})
    assert answer.status_code == 204
    assert [row["jobTitle"] for row in await admin.every(path)].count("Y") == 1


async def test_delta_goes_on_behind_a_prepared_round(admin):
    path = "/groups/delta?$select=id,displayName,members"
    for _ in range(2):
        body = await admin.read(path)
        while "@odata.nextLink" in body:
            body = await admin.read(body["@odata.nextLink"])
    assert {len(row["members@delta"]) for row in body["value"][:GROUPS]} == {50}
    link = body["@odata.deltaLink"]
    await admin.admin("tenant", remove_memberships=[{"group": "Group 000000", "member": "#1"}])
    (changed,) = (await admin.read(link))["value"]
    assert [row["@removed"]["reason"] for row in changed["members@delta"]] == ["deleted"]


async def test_rights_and_limits_are_looked_at_before(admin, with_permissions):
    path = "/users?$select=id&$top=999"
    assert (await admin.get(path)).status_code == 200
    stranger = await with_permissions("Policy.Read.All")
    assert (await stranger.get(path)).status_code == 403
    assert (await admin.get(path, headers={"authorization": "Bearer x"})).status_code == 401
    await admin.admin("throttling", scale=0.0001)
    assert [(await admin.get(path)).status_code for _ in range(3)][-1] == 429


async def test_the_record_of_traffic_has_no_pages(graph, admin):
    await chain(admin, READS[0])
    rows = (await admin.get(f"{graph.admin}/traffic")).text.splitlines()
    assert rows
    assert max(map(len, rows)) < 10_000
