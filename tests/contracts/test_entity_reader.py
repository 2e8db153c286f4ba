"""`ports.EntityReader` against the Graph emulator, through the real SDK."""

from typing import Any

import pytest
from msgspec.structs import replace

from shared.adapters.graph_entities import GraphEntities
from shared.errors import NeedsHuman, TryLater
from shared.model.accounts import Account
from shared.model.entities import Entity, Reading
from shared.planning.discovery import FIELDS
from tests.contracts.reading import Found, whole
from tests.contracts.stage import Stage

USERS = Reading(kind="user", attributes=("jobTitle",), tracked=True)
GROUPS = Reading(
    kind="group", navigation=("members", "owners"), attributes=FIELDS["group"], tracked=True
)
ROLES = Reading(
    kind="directoryRole",
    navigation=("members",),
    attributes=FIELDS["directoryRole"],
    tracked=True,
)
SERVICES = Reading(kind="servicePrincipal", attributes=FIELDS["servicePrincipal"], tracked=True)


async def read(stage: Stage, wanted: Reading, link: str = "") -> tuple[Found, str]:
    found = await whole(lambda at: GraphEntities(stage.graph).pages(wanted, at), link)
    return found, found.cookie


async def tenant(stage: Stage, **wanted: Any) -> dict[str, Any]:
    return await stage.control("tenant", **wanted)


def named(name: str, **more: Any) -> dict[str, Any]:
    return {"displayName": name, "userPrincipalName": f"{name}@contoso.onmicrosoft.com"} | more


@pytest.mark.requirement("N-21", "D-40")
async def test_all_users_and_then_what_changed(stage: Stage) -> None:
    first, cookie = await read(stage, USERS)
    assert len(first.accounts) == 120
    made = await tenant(stage, users=[named("Ada", jobTitle="Pilot"), named("Gus#EXT#")])
    ada, gus = made["users"]
    await tenant(stage, update_users=[{"user": gus, "accountEnabled": False, "userType": "Guest"}])
    gone = next(iter(first.accounts))
    await tenant(stage, delete_users=[gone])

    later, after = await read(stage, USERS, cookie)

    assert later.accounts.keys() == {ada, gus}
    assert later.gone == {gone}
    found = later.accounts[ada]
    assert found.user_principal_name == "Ada@contoso.onmicrosoft.com"
    assert found.attributes == {"jobTitle": "Pilot"}
    assert (later.accounts[gus].guest, later.accounts[gus].enabled) == (True, False)
    nothing, _ = await read(stage, USERS, after)
    assert (nothing.accounts, nothing.gone) == ({}, set())


async def test_a_full_list_is_read_in_long_pages(stage: Stage) -> None:
    await tenant(stage, generate_users=2000)
    everybody, _ = await read(stage, replace(USERS, tracked=False))
    assert len(everybody.accounts) == 2120
    assert len(await stage.traffic("GET", "/users?")) == 3
    assert await stage.traffic("GET", "/users/delta") == []


@pytest.mark.requirement("N-20", "N-21")
async def test_groups_with_members_and_owners(stage: Stage) -> None:
    made = await tenant(stage, users=[named("ada"), named("bo")])
    ada, bo = made["users"]
    (team,) = (await tenant(stage, groups=[{"displayName": "Team", "members": [ada]}]))["groups"]
    group = stage.running.server.tenant.tables["group"].truth(team)
    assert group is not None
    group.owners.append(bo)
    first, cookie = await read(stage, GROUPS)
    assert first.entities[team].display_name == "Team"
    assert {
        (link.kind, link.target, link.target_kind)
        for link in first.links.values()
        if link.source == team
    } == {("members", ada, "user"), ("owners", bo, "user")}

    await tenant(
        stage,
        memberships=[{"group": team, "member": bo}],
        remove_memberships=[{"group": team, "member": ada}],
    )
    later, _ = await read(stage, GROUPS, cookie)
    assert [link.target for link in later.links.values()] == [bo]
    assert later.unlinked == {f"members/{team}/{ada}"}


@pytest.mark.requirement("N-20")
async def test_roles_with_their_holders_and_service_principals(stage: Stage) -> None:
    name = "Helpdesk Administrator"
    (ada,) = (await tenant(stage, users=[named("ada")]))["users"]
    await tenant(stage, roles=[{"role": name, "principal": ada}])
    roles, _ = await read(stage, ROLES)
    shown = {row.display_name: row for row in roles.entities.values()}
    assert all(
        isinstance(row, Entity) and row.attributes["roleTemplateId"] for row in shown.values()
    )
    services, _ = await read(stage, SERVICES)
    graph = [
        row
        for row in services.entities.values()
        if row.attributes["appId"] == "00000003-0000-0000-c000-000000000000"
    ]
    assert [row.kind for row in graph] == ["servicePrincipal"]


@pytest.mark.requirement("N-21")
async def test_many_groups_over_several_pages(stage: Stage) -> None:
    before, _ = await read(stage, GROUPS)
    await tenant(stage, groups=[{"displayName": f"G{n}"} for n in range(450)])
    found, _ = await read(stage, GROUPS)
    assert len(found.entities) == len(before.entities) + 450


@pytest.mark.requirement("X-15", "N-21")
@pytest.mark.diagnosis("DELTA_EXPIRED")
async def test_a_link_that_is_too_old(stage: Stage) -> None:
    _, cookie = await read(stage, USERS)
    reset = {"status": 410, "code": "syncStateNotFound", "message": "Resync required."}
    await stage.fault(reset, call="GET /users/delta")
    with pytest.raises(NeedsHuman) as refused:
        await read(stage, USERS, cookie)
    assert refused.value.code == "DELTA_EXPIRED"


async def test_replayed_items_are_one_each(stage: Stage) -> None:
    first, cookie = await read(stage, GROUPS)
    await tenant(stage, groups=[{"displayName": "Fresh"}])
    once, _ = await read(stage, GROUPS, cookie)
    again, _ = await read(stage, GROUPS, cookie)
    assert once.entities == again.entities
    assert len(once.entities) == 1
    assert not once.entities.keys() & first.entities.keys()


@pytest.mark.requirement("X-15")
@pytest.mark.diagnosis("THROTTLED")
async def test_throttling_is_a_reason_to_wait(stage: Stage) -> None:
    await stage.fault("F13", call="GET /groups/delta", retry_after=120)
    with pytest.raises(TryLater) as refused:
        await read(stage, GROUPS)
    assert (refused.value.code, refused.value.after.total_seconds()) == ("THROTTLED", 120)


async def test_a_stored_link_to_another_host_is_not_followed(stage: Stage) -> None:
    with pytest.raises(NeedsHuman) as refused:
        await read(stage, USERS, "https://evil.example/v1.0/users/delta?$deltatoken=x")
    assert refused.value.code == "FOREIGN_LINK"


async def test_accounts_say_why_they_are_in_scope(stage: Stage) -> None:
    found, _ = await read(stage, USERS)
    account = next(iter(found.accounts.values()))
    assert isinstance(account, Account)
    assert [origin.kind for origin in account.origins] == ["tenant"]
