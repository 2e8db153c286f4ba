"""Sources without delta queries, whole lists, through `ports.EntityReader` and the real SDK."""

from typing import Any

import pytest

from shared.adapters.graph_entities import GraphEntities
from shared.errors import NeedsHuman
from shared.model.entities import ELIGIBLE_ROLES, HELD_ROLES, MEMBERSHIP, REGISTRATION, Reading
from tests.contracts.reading import Found, Read, page_by_page, whole
from tests.contracts.stage import Stage

ROLE = "Helpdesk Administrator"


def reading(stage: Stage, kind: str) -> Read:
    reader = GraphEntities(stage.graph)
    return lambda link: reader.pages(Reading(kind=kind), link)


def named(name: str, **more: Any) -> dict[str, Any]:
    return {"displayName": name, "userPrincipalName": f"{name}@contoso.onmicrosoft.com"} | more


async def people(stage: Stage, *names: str) -> list[str]:
    made = await stage.control("tenant", users=[named(name) for name in names])
    return list(made["users"])


async def groups(stage: Stage, count: int, *members: str, name: str = "Team") -> list[str]:
    made = await stage.control(
        "tenant",
        groups=[{"displayName": f"{name} {n}", "members": list(members)} for n in range(count)],
    )
    return list(made["groups"])


def same(one: Found, other: Found) -> bool:
    return (one.accounts, one.entities, one.links) == (other.accounts, other.entities, other.links)


@pytest.mark.requirement("M-28", "D-31")
async def test_members_of_all_groups_twenty_to_a_request(stage: Stage) -> None:
    ada, bo = await people(stage, "ada", "bo")
    (inner,) = await groups(stage, 1, ada, name="Inner")
    made = await groups(stage, 150, inner, bo)
    empty = await groups(stage, 20, name="Empty")

    found = await whole(reading(stage, MEMBERSHIP))

    assert found.members(inner) == {ada}
    assert all(found.members(id_) == {inner, bo} for id_ in made)
    assert all(found.members(id_) == set() for id_ in empty)
    kinds = {link.target: link.target_kind for link in found.links.values()}
    assert (kinds[ada], kinds[inner]) == ("user", "group")
    assert (found.unread, found.vanished) == ([], [])
    batches = await stage.traffic("POST", "/$batch")
    assert len(batches) < 15
    assert await stage.traffic("GET", "/members") == []
    assert found.requests == len(batches) + len(await stage.traffic("GET", "/groups?"))


async def test_a_crash_after_any_page_loses_no_membership(stage: Stage) -> None:
    ada, bo = await people(stage, "ada", "bo")
    await groups(stage, 230, ada, bo)
    read = reading(stage, MEMBERSHIP)
    undisturbed = await whole(read)
    assert undisturbed.pages > 2
    assert same(await page_by_page(read), undisturbed)


async def test_long_lists_of_members_are_followed_by_their_links(stage: Stage) -> None:
    ids = (await stage.control("tenant", generate_users=2300))["users"]
    (everybody,), (few,) = await groups(stage, 1, *ids), await groups(stage, 1, name="Few")
    read = reading(stage, MEMBERSHIP)
    found = await page_by_page(read)
    assert found.members(everybody) == set(ids)
    assert found.members(few) == set()
    assert len(await stage.traffic("GET", "/members?")) == 2
    assert same(await whole(read), found)


async def test_roles_over_several_pages(stage: Stage) -> None:
    ids = await people(stage, *(f"u{n}" for n in range(230)))
    await stage.control("tenant", roles=[{"role": ROLE, "principal": id_} for id_ in ids])
    read = reading(stage, HELD_ROLES)
    found = await page_by_page(read)
    assert found.accounts.keys() >= set(ids)
    assert same(found, await whole(read))


@pytest.mark.diagnosis("NOT_LICENSED")
async def test_without_a_licence_nobody_knows_who_is_eligible(stage: Stage) -> None:
    await stage.fault(
        {"status": 400, "code": "AadPremiumLicenseRequired", "message": "Premium 2 is needed."},
        call="GET /roleManagement/directory/roleEligibilityScheduleInstances",
    )
    with pytest.raises(NeedsHuman) as refused:
        await whole(reading(stage, ELIGIBLE_ROLES))
    assert refused.value.code == "NOT_LICENSED"
    assert (await whole(reading(stage, HELD_ROLES))).accounts


@pytest.mark.requirement("M-29")
async def test_registrations_of_all_users_in_bulk(stage: Stage) -> None:
    ada, bo = await people(stage, "ada", "bo")
    await stage.control(
        "tenant", mfa=[{"user": ada, "registered": True}, {"user": bo, "registered": False}]
    )
    found = await whole(reading(stage, REGISTRATION))
    assert len(found.accounts) == 122
    assert (found.accounts[ada].mfa, found.accounts[bo].mfa) == ("yes", "no")
    assert len(await stage.traffic("GET", "/userRegistrationDetails")) == 1
