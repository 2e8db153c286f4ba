"""What is missing is told at once and whole, before anything is written."""

import pytest

from shared.errors import NeedsHuman
from shared.model.connection import Aspect, Status
from shared.model.directory import GRAPH_APP_ID
from shared.model.profile import RESOURCES
from shared.planning.access import plan_access
from shared.planning.privileges import needs
from shared.profile import catalogue
from tests.fakes import FakeContext, fake_context
from tests.in_memory.access.world import audit, begin, go_on, spec_of, told

DVLS = "devolutions-server"

WRITES = ("applications.ensure", "applications.add_api", "consents.grant", "credentials.add")


async def nothing_written(ctx: FakeContext) -> None:
    assert ctx.tenant.applications == {}
    assert ctx.tenant.principals == {}
    assert not {call for call in ctx.tenant.faults.calls if call in WRITES}


NEEDED: dict[str, tuple[dict[str, bool], set[str]]] = {
    DVLS: (
        {},
        {
            "Application.ReadWrite.OwnedBy",
            "Application.Read.All",
            "Policy.Read.All",
            "AppRoleAssignment.ReadWrite.All",
            "Directory.Read.All",
            "RoleManagement.ReadWrite.Directory",
            "User.Read.All",
            "Group.Read.All",
            "RoleManagement.Read.Directory",
        },
    ),
    "password-manager-pro": (
        {},
        {
            "Application.ReadWrite.OwnedBy",
            "Application.Read.All",
            "Policy.Read.All",
            "AppRoleAssignment.ReadWrite.All",
            "DelegatedPermissionGrant.ReadWrite.All",
            "Directory.Read.All",
            "User.Read.All",
            "Group.Read.All",
            "AuditLog.Read.All",
        },
    ),
    "pandium": (
        {},
        {"Application.ReadWrite.OwnedBy", "Application.Read.All", "Policy.Read.All"},
    ),
}


@pytest.mark.requirement("X-20", "D-14", "D-21")
@pytest.mark.parametrize("profile", NEEDED)
def test_no_more_is_asked_of_the_automation_than_the_product_takes(profile: str) -> None:
    features, expected = NEEDED[profile]
    spec = spec_of(profile, features=features)
    wanted = needs(catalogue()[profile], spec, plan_access(catalogue()[profile], spec))
    assert {need.permission for need in wanted if need.required} == expected


@pytest.mark.requirement("D-21", "X-20")
def test_without_password_rotation_no_right_to_assign_roles_is_needed() -> None:
    spec = spec_of(DVLS, features={"password_rotation": False})
    wanted = needs(catalogue()[DVLS], spec, plan_access(catalogue()[DVLS], spec))
    assert "RoleManagement.ReadWrite.Directory" not in {need.permission for need in wanted}


@pytest.mark.requirement("D-19", "X-20")
@pytest.mark.diagnosis("AUTOMATION_PRIVILEGE")
async def test_everything_that_is_missing_is_told_at_once() -> None:
    ctx = fake_context()
    ctx.tenant.own_roles -= {
        "AppRoleAssignment.ReadWrite.All",
        "RoleManagement.ReadWrite.Directory",
    }
    ctx.tenant.secrets_allowed = False
    await begin(ctx, DVLS)
    condition = await told(ctx)
    assert (condition.status, condition.reason) == (Status.FALSE, "AUTOMATION_PRIVILEGE")
    for word in (
        "Nothing was written",
        "AppRoleAssignment.ReadWrite.All",
        "RoleManagement.ReadWrite.Directory",
        "SECRET_TYPE_BLOCKED",
    ):
        assert word in condition.message
    assert "Privileged Role Administrator" in condition.remedy
    assert "certificate" in condition.remedy
    await nothing_written(ctx)
    (row,) = await audit(ctx, "preflight.stopped")
    assert row["found"] == ["AUTOMATION_PRIVILEGE", "AUTOMATION_PRIVILEGE", "SECRET_TYPE_BLOCKED"]


async def test_what_was_granted_just_now_is_seen_with_a_fresh_token() -> None:
    ctx = fake_context()
    ctx.tenant.own_roles -= {"AppRoleAssignment.ReadWrite.All"}
    ctx.tenant.granted_lately = frozenset({"AppRoleAssignment.ReadWrite.All"})
    await begin(ctx, DVLS)
    assert (await told(ctx)).status == Status.TRUE
    assert (await told(ctx, Aspect.CONSENTED)).status == Status.TRUE


@pytest.mark.diagnosis("SECRET_TYPE_BLOCKED")
async def test_blocked_secrets_stop_before_anything_is_written() -> None:
    ctx = fake_context()
    ctx.tenant.secrets_allowed = False
    await begin(ctx, DVLS)
    condition = await told(ctx)
    assert (condition.status, condition.reason) == (Status.FALSE, "SECRET_TYPE_BLOCKED")
    await nothing_written(ctx)
    ctx.tenant.secrets_allowed = True  # as the remedy says
    await go_on(ctx, "again")
    assert (await told(ctx)).status == Status.TRUE


@pytest.mark.diagnosis("SECRET_TYPE_BLOCKED")
async def test_blocked_secrets_do_not_matter_to_a_product_without_one() -> None:
    ctx = fake_context()
    ctx.tenant.secrets_allowed = False
    federated = next(p.id for p in catalogue().values() if p.credential.kind == "federated")
    await begin(ctx, federated)
    assert (await told(ctx)).status == Status.TRUE


@pytest.mark.diagnosis("DOMAIN_UNVERIFIED")
async def test_a_domain_of_somebody_else() -> None:
    ctx = fake_context()
    await begin(ctx, "pam360", inputs={"domain": "fabrikam.example"})
    condition = await told(ctx)
    assert (condition.status, condition.reason) == (Status.FALSE, "DOMAIN_UNVERIFIED")
    assert "contoso.onmicrosoft.com" in condition.message
    await nothing_written(ctx)


@pytest.mark.requirement("D-01")
@pytest.mark.diagnosis("TENANT_MISMATCH")
async def test_another_tenant_and_what_else_is_wrong() -> None:
    ctx = fake_context()
    ctx.tenant.configured_id = "another"
    ctx.tenant.own_roles -= {"Application.ReadWrite.OwnedBy"}
    await begin(ctx, DVLS)
    condition = await told(ctx)
    assert condition.reason == "AUTOMATION_PRIVILEGE"
    assert "TENANT_MISMATCH" in condition.message
    await nothing_written(ctx)


async def test_an_api_that_the_tenant_lacks_and_a_missing_right() -> None:
    ctx = fake_context()
    del ctx.tenant.resources[RESOURCES["exchange-online"]]
    ctx.tenant.own_roles -= {"Policy.Read.All"}
    await begin(ctx, "manageengine-m365")
    condition = await told(ctx)
    assert condition.reason == "AUTOMATION_PRIVILEGE"
    assert "RESOURCE_MISSING" in condition.message and "Policy.Read.All" in condition.message
    await nothing_written(ctx)


@pytest.mark.diagnosis("PERM_UNKNOWN")
async def test_a_permission_that_the_tenant_does_not_have() -> None:
    ctx = fake_context()
    graph = ctx.tenant.resources[GRAPH_APP_ID]
    rest = tuple(p for p in graph.permissions if p.name != "Group.Read.All")
    ctx.tenant.resources[GRAPH_APP_ID] = type(graph)(
        app_id=graph.app_id, principal_id=graph.principal_id, permissions=rest
    )
    await begin(ctx, DVLS)
    condition = await told(ctx)
    assert (condition.status, condition.reason) == (Status.FALSE, "PERM_UNKNOWN")
    assert "Group.Read.All" in condition.message
    await nothing_written(ctx)


@pytest.mark.diagnosis("AUTOMATION_PRIVILEGE")
async def test_a_refused_look_up_is_told_too() -> None:
    ctx = fake_context()
    refusal = NeedsHuman("AUTOMATION_PRIVILEGE", "HTTP 403 reading policies", "grant it")
    ctx.tenant.fail("credentials.rules", refusal)
    await begin(ctx, DVLS)
    condition = await told(ctx)
    assert (condition.status, condition.reason) == (Status.FALSE, "AUTOMATION_PRIVILEGE")
    await nothing_written(ctx)
