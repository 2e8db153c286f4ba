"""`ports.DirectoryReader` against the Graph emulator, through the real SDK."""

import pytest

from shared.adapters.graph_imports import GraphImports
from shared.model.accounts import Origin
from tests.contracts.stage import Stage, needs_human

DOMAIN = "contoso.onmicrosoft.com"


@pytest.fixture
def reader(stage: Stage) -> GraphImports:
    return GraphImports(stage.graph)


async def user(stage: Stage, name: str, **more: object) -> str:
    values = {"displayName": name, "userPrincipalName": f"{name.lower()}@{DOMAIN}", **more}
    return str((await stage.control("tenant", users=[values]))["users"][0])


async def group(stage: Stage, name: str, *members: str) -> Origin:
    made = await stage.control("tenant", groups=[{"displayName": name, "members": list(members)}])
    return Origin(kind="group", id=made["groups"][0], name=name)


@pytest.mark.requirement("M-15", "D-40")
async def test_a_user_is_found_by_id_principal_name_mail_and_display_name(
    stage: Stage, reader: GraphImports
) -> None:
    id_ = await user(stage, "Zoe", displayName="Zoë O'Neil, R.", mail="zoe@mail.example")
    for name in (id_, f"ZOE@{DOMAIN}", "zoe@mail.example", "Zoë O'Neil, R."):
        found = await reader.users_called(name)
        assert [account.id for account in found] == [id_], name
        assert found[0].user_principal_name == f"zoe@{DOMAIN}"
    assert await reader.users_called("nobody") == []


@pytest.mark.requirement("M-16", "M-28")
async def test_groups_are_read_level_by_level(stage: Stage, reader: GraphImports) -> None:
    ana, bo = await user(stage, "Ana"), await user(stage, "Bo")
    inner = await group(stage, "Inner", bo)
    outer = await group(stage, "Outer's", inner.id, ana)
    assert await reader.groups_called("outer's") == [outer]
    assert await reader.groups_called(inner.id) == [inner]
    assert await reader.groups_called("Ghosts") == []
    assert await reader.groups_in(outer) == [inner]
    direct = [account async for page in reader.users_in(outer) for account in page]
    assert [account.id for account in direct] == [ana]
    gone = Origin(kind="group", id="00000000-0000-4000-8000-000000000000", name="Gone")
    await needs_human(reader.groups_in(gone), "SOURCE_GONE")


@pytest.mark.requirement("M-17")
async def test_groups_to_tick_come_by_name_with_their_structure(
    stage: Stage, reader: GraphImports
) -> None:
    ana = await user(stage, "Ana")
    inner = await group(stage, "Zeta inner", ana)
    outer = await group(stage, "Zeta outer", inner.id, ana)
    first, more = await reader.group_lines("Zeta", "", 1)
    assert more
    assert (first[0].id, first[0].members, first[0].parents) == (inner.id, 1, (outer.id,))
    rest, more = await reader.group_lines("Zeta", inner.id, 50)
    assert not more
    assert [(line.name, line.members, line.children) for line in rest] == [
        ("Zeta outer", 1, (inner.id,))
    ]
    everything, more = await reader.group_lines("", "", 5)
    assert (len(everything), more) == (5, True)
    names = [line.name.casefold() for line in everything]
    assert names == sorted(names)


@pytest.mark.requirement("M-36")
async def test_everyone_and_who_is_still_there(stage: Stage, reader: GraphImports) -> None:
    everyone = [account.id async for page in reader.everyone() for account in page]
    assert len(everyone) == len(set(everyone)) == 120
    nobody = "00000000-0000-4000-8000-000000000000"
    there = await reader.existing([*everyone[:2], nobody])
    assert there == frozenset(everyone[:2])
    await stage.control("tenant", delete_users=[everyone[0]])
    assert await reader.existing(everyone[:2]) == frozenset(everyone[1:2])


@pytest.mark.requirement("M-29", "M-30")
async def test_who_registered_mfa(stage: Stage, reader: GraphImports) -> None:
    ana, bo = await user(stage, "Ana"), await user(stage, "Bo")
    facts = [{"user": ana, "registered": True}, {"user": bo, "registered": False}]
    await stage.control("tenant", mfa=facts)
    registered = await reader.mfa_registered()
    assert ana in registered
    assert bo not in registered


@pytest.mark.requirement("M-10")
async def test_the_verified_domains(stage: Stage, reader: GraphImports) -> None:
    await stage.control("tenant", domains=[{"id": "contoso.com"}])
    assert set(await reader.verified_domains()) == {DOMAIN, "contoso.com"}


@pytest.mark.requirement("M-31")
async def test_conditional_access_policies_are_read_as_they_are(
    stage: Stage, reader: GraphImports
) -> None:
    policy = {
        "displayName": "MFA for all",
        "conditions": {
            "applications": {"includeApplications": ["All"], "excludeApplications": ["app-1"]},
            "users": {"includeUsers": ["All"], "excludeUsers": ["user-1"]},
        },
    }
    await stage.control("tenant", conditional_access=[policy])
    (found,) = await reader.policies()
    assert (found.name, found.state, found.controls) == ("MFA for all", "enabled", True)
    assert (found.applications, found.excluded_applications) == ({"All"}, {"app-1"})
    assert (found.users, found.excluded_users) == ({"All"}, {"user-1"})
    assert found.client_types == ("all",)
