"""The tenant's own account of itself, against what its API shows."""

import json

from emulators.graph.truth import summed


async def truth(client, **query):
    answer = await client.get(f"{client.running.admin}/truth", params=query)
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


async def test_users_and_memberships(admin):
    await admin.admin("tenant", delete_users=["#1", "#4"])
    listed = {row["id"] for row in await admin.every("/users?$select=id&$top=999")}
    assert {row["id"] for row in await truth(admin, what="users")} == listed
    found = set()
    for group in await admin.every("/groups?$select=id&$top=999"):
        members = await admin.every(f"/groups/{group['id']}/members?$select=id&$top=999")
        found |= {(group["id"], row["id"]) for row in members}
    told = await truth(admin, what="memberships")
    assert {(row["group"], row["member"]) for row in told} == found
    (digest,) = await truth(admin)
    assert digest["users"] == summed(listed)
    assert digest["memberships"] == summed(f"{group}/{member}" for group, member in found)


async def test_reasons(graph, admin):
    users = graph.server.tenant.users
    rows = await truth(admin, what="reasons")
    first = [row for row in rows if row["id"] == users.id_of(0)]
    assert {(row["reason"], row["name"]) for row in first} == {("role", "Global Administrator")}
    scoped = [row for row in rows if row["id"] == users.id_of(14) and row["scope"] != "/"]
    assert scoped[0]["scope"].startswith("/administrativeUnits/")
    through = [row for row in rows if row["id"] == users.id_of(12)]
    assert {row["reason"] for row in through} == {"role", "eligible"}
    assert {len(row["chain"]) for row in through} == {1}
    assert {row["end"] for row in through} == {None, "2027-06-30T00:00:00Z"}


async def test_nested_groups_and_cycles(graph, admin):
    made = await admin.admin(
        "tenant",
        groups=[{"displayName": "Inner", "members": ["#7"]}, {"displayName": "Outer"}],
        memberships=[
            {"group": "Outer", "member": "Inner"},
            {"group": "Inner", "member": "Outer"},
            {"group": "Outer", "member": "#8"},
        ],
    )
    inner, outer = made["groups"]
    rows = await truth(admin, what="reasons", groups=outer, roles="none")
    users = graph.server.tenant.users
    assert {row["id"]: row["chain"] for row in rows} == {
        users.id_of(8): [outer],
        users.id_of(7): [outer, inner],
    }
