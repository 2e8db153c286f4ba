"""Delta queries and rights through `ports.EntityReader`: DF-20 to DF-27."""

from typing import Any

import pytest

from shared.adapters.graph_entities import GraphEntities
from shared.model.entities import (
    ELIGIBLE_ROLES,
    HELD_ROLES,
    MEMBERSHIP,
    REGISTRATION,
    USER,
    Reading,
)
from tests.contracts.reading import Found, Read, page_by_page, restarted, whole
from tests.contracts.stage import Stage, needs_human
from tests.contracts.tenancy import administer

USERS = Reading(kind="user", tracked=True)
GROUPS = Reading(kind="group", navigation=("members", "owners"), tracked=True)


def reading(stage: Stage, wanted: Reading) -> Read:
    return lambda link: GraphEntities(stage.graph).pages(wanted, link)


async def tenant(stage: Stage, **wanted: Any) -> dict[str, Any]:
    return await stage.control("tenant", **wanted)


def named(name: str) -> dict[str, Any]:
    return {"displayName": name, "userPrincipalName": f"{name}@contoso.onmicrosoft.com"}


@pytest.mark.requirement("X-15", "N-21")
@pytest.mark.diagnosis("DELTA_EXPIRED")
@pytest.mark.parametrize("fault", ["DF-20", "DF-21"])
@pytest.mark.parametrize("wanted", [USERS, GROUPS], ids=["users", "groups"])
async def test_df_20_and_21_a_link_that_is_not_known_any_more(
    stage: Stage, fault: str, wanted: Reading
) -> None:
    read = reading(stage, wanted)
    first = await whole(read)
    await stage.fault(fault, times=1)
    await needs_human(whole(read, first.cookie), "DELTA_EXPIRED")
    again = await whole(read)
    assert (again.accounts, again.entities) == (first.accounts, first.entities)


async def test_the_link_of_users_is_from_before_the_list_was_read(stage: Stage) -> None:
    """Who changes while the list is read comes again with the next run."""
    stage.graph.sizes["user"] = (50, float("inf"))
    read, found = reading(stage, USERS), Found()
    pages = read("")
    found.take(await anext(pages))
    (ada,) = (await tenant(stage, users=[named("ada")]))["users"]
    cookie = found.cookie
    await pages.aclose()  # type: ignore[attr-defined] # they are generators
    rest = await whole(read, found.next_link)
    assert rest.cookie == ""  # the one of the first page counts
    assert (await whole(read, cookie)).accounts.keys() == {ada}


@pytest.mark.parametrize("wanted", [USERS, GROUPS], ids=["users", "groups"])
async def test_df_23_replays_repetitions_and_any_order(stage: Stage, wanted: Reading) -> None:
    read = reading(stage, wanted)
    plain = await whole(read)
    await stage.fault("DF-23")
    mixed = await whole(read)
    assert (mixed.accounts, mixed.entities, mixed.links) == (
        plain.accounts,
        plain.entities,
        plain.links,
    )
    made = await tenant(stage, users=[named("ada"), named("bo")])
    await tenant(stage, groups=[{"displayName": "Crew", "members": made["users"]}])
    stage.running.server.faults.rules.clear()
    once = await whole(read, plain.cookie)
    await stage.fault("DF-23")
    again = await whole(read, plain.cookie)
    assert (again.accounts, again.entities, again.links) == (
        once.accounts,
        once.entities,
        once.links,
    )


async def test_df_24_a_group_in_parts_over_several_pages(stage: Stage) -> None:
    ids = (await tenant(stage, generate_users=300))["users"]
    (group,) = (await tenant(stage, groups=[{"displayName": "All", "members": ids}]))["groups"]
    read = reading(stage, GROUPS)
    await stage.fault("DF-24", members=7)
    found = await page_by_page(read)
    assert found.members(group) == set(ids)
    stage.running.server.faults.rules.clear()
    assert (await whole(read)).links == found.links


async def test_df_25_deleted_restored_and_gone_for_good(stage: Stage) -> None:
    read = reading(stage, USERS)
    cookie = (await whole(read)).cookie
    users = stage.running.server.tenant.users
    ada, bo = users.id_of(1), users.id_of(2)
    await tenant(stage, delete_users=[ada, bo])
    first = await whole(read, cookie)
    assert (first.gone, first.for_good) == ({ada, bo}, set())
    await tenant(stage, restore_users=["#1"])
    await administer(stage, "DELETE", f"/directory/deletedItems/{bo}")
    second = await whole(read, first.cookie)
    assert second.accounts.keys() == {ada}
    assert second.accounts[ada].user_principal_name
    assert (second.gone, second.for_good) == ({bo}, {bo})


async def test_a_page_token_of_a_delta_query_dies_like_any(stage: Stage) -> None:
    await tenant(stage, generate_users=500)
    read = reading(stage, GROUPS)
    await tenant(stage, groups=[{"displayName": f"G{n}"} for n in range(450)])
    await stage.fault("DF-09", call="GET /groups/delta")
    found, restarts = await restarted(read)
    assert restarts == 1
    assert len(found.entities) > 450
    assert found.cookie


WIDER = ("Directory.Read.All", "Directory.ReadWrite.All", "RoleManagement.ReadWrite.Directory")
RIGHTS = {
    USER: ("User.Read.All",),
    "group": ("Group.Read.All", "GroupMember.Read.All"),
    MEMBERSHIP: ("Group.Read.All", "GroupMember.Read.All"),
    HELD_ROLES: ("RoleManagement.Read.Directory",),
    ELIGIBLE_ROLES: ("RoleEligibilitySchedule.Read.Directory", "RoleManagement.Read.Directory"),
    REGISTRATION: ("AuditLog.Read.All",),
}


@pytest.mark.requirement("X-15")
@pytest.mark.diagnosis("AUTOMATION_PRIVILEGE")
@pytest.mark.parametrize("kind", RIGHTS)
async def test_df_26_what_may_not_be_read_names_the_permission(stage: Stage, kind: str) -> None:
    await tenant(stage, groups=[{"displayName": f"G{n}"} for n in range(25)])
    held = await stage.graph.roles()
    await stage.forbid(*(held & {*RIGHTS[kind], *WIDER}))
    await stage.graph.claims(fresh=True)
    problem = await needs_human(whole(reading(stage, Reading(kind=kind))), "AUTOMATION_PRIVILEGE")
    assert RIGHTS[kind][0] in problem.remedy


async def test_df_27_members_that_are_no_users_may_be_left_out(stage: Stage) -> None:
    ada, robot = "#1", "Onboarding Automation"
    made = await tenant(stage, groups=[{"displayName": "Mixed", "members": [ada, robot]}])
    (group,) = made["groups"]
    read = reading(stage, Reading(kind=MEMBERSHIP))
    both = await whole(read)
    await stage.fault("DF-27", object=group)
    users = await whole(read)
    kinds = {link.target: link.target_kind for link in both.links.values() if link.source == group}
    assert sorted(kinds.values()) == ["servicePrincipal", "user"]
    assert users.members(group) == {id_ for id_, kind in kinds.items() if kind == "user"}
