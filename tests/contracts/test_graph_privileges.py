"""`ports.PrivilegeReader` in an emulated tenant of which everything is known."""

from typing import Any

import pytest

from shared.adapters.graph_privileges import GraphPrivileges
from shared.model.privilege import CUSTOM, GROUP, RESTRICTED, ROLE, Held, Privileges
from tests.contracts.stage import Stage, try_later

ROLES = "GET /roleManagement/directory/"
REFUSED = {"status": 403, "code": "Authorization_RequestDenied", "message": "Insufficient."}


async def read(stage: Stage) -> Privileges:
    return await GraphPrivileges(stage.graph).privileges()


async def people(stage: Stage, *names: str) -> list[str]:
    users = [
        {"displayName": name, "userPrincipalName": f"{name}@contoso.onmicrosoft.com"}
        for name in names
    ]
    made: list[str] = (await stage.control("tenant", users=users))["users"]
    return made


def role(name: str, via: str = "") -> Held:
    return Held(kind=ROLE, name=name, via=via)


def holding(name: str, principal: str, **more: Any) -> dict[str, Any]:
    return {"role": name, "principal": principal, **more}


@pytest.mark.requirement("D-23")
async def test_active_and_eligible_roles_of_people(stage: Stage) -> None:
    ada, bo, chen = await people(stage, "ada", "bo", "chen")
    await stage.control(
        "tenant",
        roles=[holding("Reports Reader", ada), holding("Groups Administrator", ada)],
        eligibilities=[holding("Groups Administrator", ada), holding("Intune Administrator", bo)],
    )
    found = await read(stage)
    assert set(found.held[ada]) == {
        role("Reports Reader"),
        role("Groups Administrator"),
        role("Groups Administrator", "eligible"),
    }
    assert found.held[bo] == (role("Intune Administrator", "eligible"),)
    assert chen not in found.held
    assert found.unknown == ()


@pytest.mark.requirement("D-23")
async def test_role_assignable_groups_their_owners_and_the_roles_that_they_hold(
    stage: Stage,
) -> None:
    names = ("member", "nested", "owner", "waiting", "plain")
    member, nested, owner, waiting, plain = await people(stage, *names)
    groups: list[dict[str, Any]] = [
        {"displayName": "Inner", "members": [nested]},
        {"displayName": "No role", "isAssignableToRole": True, "members": [member, "Inner"]},
        {"displayName": "Desk", "isAssignableToRole": True, "members": [member]},
        {"displayName": "Later", "isAssignableToRole": True, "members": [waiting]},
        {"displayName": "Just a group", "members": [plain], "owners": [plain]},
    ]
    groups[2]["owners"] = [owner, "Onboarding Automation"]
    await stage.control(
        "tenant",
        groups=groups,
        roles=[holding("Reports Reader", "Desk")],
        eligibilities=[holding("Exchange Administrator", "Later")],
    )
    held = (await read(stage)).held
    assert set(held[member]) == {
        Held(kind=GROUP, name="No role"),
        Held(kind=GROUP, name="Desk"),
        role("Reports Reader", "Desk"),
    }
    assert held[nested] == (Held(kind=GROUP, name="No role"),)
    assert held[owner] == (Held(kind=GROUP, name="Desk", via="owner"),)
    assert set(held[waiting]) == {
        Held(kind=GROUP, name="Later"),
        role("Exchange Administrator", "eligible"),
    }
    assert plain not in held


@pytest.mark.requirement("D-23")
async def test_roles_scoped_to_units_restricted_or_not(stage: Stage) -> None:
    ada, bo = await people(stage, "ada", "bo")
    units = [
        {"displayName": "North"},
        {"displayName": "Vault", "isMemberManagementRestricted": True},
    ]
    made = await stage.control("tenant", administrative_units=units)
    north, vault = (f"/administrativeUnits/{unit}" for unit in made["administrative_units"])
    await stage.control(
        "tenant",
        roles=[
            holding("Helpdesk Administrator", ada, scope=north),
            holding("Helpdesk Administrator", bo, scope=vault),
        ],
        eligibilities=[holding("User Administrator", ada, scope=vault)],
    )
    held = (await read(stage)).held
    assert set(held[ada]) == {
        role("Helpdesk Administrator"),
        Held(kind=RESTRICTED, name="User Administrator", via="eligible"),
    }
    assert held[bo] == (Held(kind=RESTRICTED, name="Helpdesk Administrator"),)


async def test_a_custom_role_is_none_of_the_table_whatever_its_name(stage: Stage) -> None:
    (ada,) = await people(stage, "ada")
    tenant = stage.running.server.tenant
    id_ = "5b784334-f94b-471a-a387-e7219fc49ca2"
    reader = tenant.role_definitions["88d8e3e3-8f55-4a1e-953a-9b9898b8876b"]
    tenant.role_definitions[id_] = reader | {"id": id_, "templateId": id_, "isBuiltIn": False}
    await stage.control("tenant", roles=[holding(id_, ada)])
    assert (await read(stage)).held[ada] == (Held(kind=CUSTOM, name="Directory Readers"),)


async def test_without_a_licence_nobody_is_eligible_and_nothing_is_unknown(stage: Stage) -> None:
    (ada,) = await people(stage, "ada")
    await stage.control("tenant", roles=[holding("Reports Reader", ada)])
    unlicensed = {
        "status": 400,
        "code": "AadPremiumLicenseRequired",
        "message": "The tenant needs an AAD Premium 2 license.",
    }
    await stage.fault(unlicensed, call=ROLES + "roleEligibilityScheduleInstances")
    found = await read(stage)
    assert found.unknown == ()
    assert found.held[ada] == (role("Reports Reader"),)


UNREADABLE = {
    "names": (ROLES + "roleDefinitions", "names of roles"),
    "roles": (ROLES + "roleAssignments", "roles ("),
    "eligible roles": (ROLES + "roleEligibilityScheduleInstances", "eligible roles"),
    "groups": ("GET /groups", "role-assignable groups"),
    "members": (
        "GET /groups/{id}/transitiveMembers/microsoft.graph.user",
        "members of Helpdesk Operators",
    ),
    "owners": ("GET /groups/{id}/owners/microsoft.graph.user", "owners of Helpdesk Operators"),
    "units": ("GET /directory/administrativeUnits", "administrative units"),
}


@pytest.mark.parametrize("part", UNREADABLE)
async def test_what_is_refused_is_unknown_and_not_empty(stage: Stage, part: str) -> None:
    call, told = UNREADABLE[part]
    await stage.fault(REFUSED, call=call)
    (unknown,) = (await read(stage)).unknown
    assert unknown.startswith(told)
    assert "AUTOMATION_PRIVILEGE" in unknown
    assert "reading them needs" in unknown


@pytest.mark.parametrize("part", ["roles", "members"])
async def test_throttling_is_for_another_time(stage: Stage, part: str) -> None:
    groups = [{"displayName": f"Tier {n}", "isAssignableToRole": True} for n in range(9)]
    await stage.control("tenant", groups=groups)
    await stage.fault("F13", call=UNREADABLE[part][0], retry_after=300)
    await try_later(read(stage), "THROTTLED")


async def test_many_holders_over_several_pages(stage: Stage) -> None:
    everybody = [
        stage.running.server.tenant.users.id_of(number) for number in range(120)
    ] + await people(stage, *(f"more{number}" for number in range(150)))
    rows = [holding("Reports Reader", user) for user in everybody]
    await stage.control("tenant", roles=rows)
    held = (await read(stage)).held
    assert all(role("Reports Reader") in held[user] for user in everybody)


async def test_the_tenant_is_read_in_bulk(stage: Stage) -> None:
    await people(stage, *(f"more{number}" for number in range(50)))
    await read(stage)
    groups = len(await stage.traffic("GET", "/owners/"))
    assert groups == 1  # the seeded one
    assert len(await stage.traffic("GET", "/v1.0/")) <= 6 + 2 * groups
