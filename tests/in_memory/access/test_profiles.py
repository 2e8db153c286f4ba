"""What each profile's registration and consent leave in the tenant."""

import pytest
from msgspec.structs import replace

from shared.model.connection import Aspect, Status
from shared.model.directory import GRAPH_APP_ID, Kind
from shared.model.profile import RESOURCES
from shared.planning.access import plan_access
from shared.profile import catalogue
from tests.fakes import fake_context
from tests.in_memory.access.world import (
    application,
    audit,
    begin,
    configured,
    found,
    go_on,
    granted,
    permission,
    principal,
    scopes,
    spec_of,
    told,
)


@pytest.mark.requirement("D-02", "D-04", "D-15", "D-16", "D-18", "M-01", "N-10")
@pytest.mark.parametrize("profile", catalogue())
async def test_every_profile_is_registered_and_consented_exactly(profile: str) -> None:
    ctx = fake_context()
    done = await begin(ctx, profile)
    registered, consented = done.condition(Aspect.REGISTERED), done.condition(Aspect.CONSENTED)
    assert registered is not None and registered.status == Status.TRUE, registered
    assert consented is not None and consented.status == Status.TRUE, consented
    access = plan_access(catalogue()[profile], done.spec)
    wanted = {(str(p.kind), p.name) for p in access.permissions}
    assert configured(ctx) == wanted
    assert granted(ctx) == {name for kind, name in wanted if kind == "application"}
    delegated = {name for kind, name in wanted if kind == "delegated"}
    assert {scope for held in scopes(ctx) for scope in held} == delegated
    assert ctx.tenant.own_principal in application(ctx).owners
    assert application(ctx).locked


@pytest.mark.requirement("X-03")
@pytest.mark.parametrize("profile", ["password-manager-pro", "netwrix-1secure"])
async def test_a_repeat_writes_nothing(profile: str) -> None:
    ctx = fake_context()
    await begin(ctx, profile)
    before = len(ctx.tenant.faults.calls)
    await go_on(ctx, "again")
    again = set(ctx.tenant.faults.calls[before:])
    writes = ("ensure", "update", "configure", "add_owner", "lock", "ensure_principal", "add_api")
    assert not again & {f"applications.{name}" for name in writes}
    grants = ("grant", "grant_scopes", "set_scopes", "revoke")
    assert not again & {f"consents.{name}" for name in grants}


@pytest.mark.requirement("M-01", "M-02", "M-03", "M-04", "M-05", "M-06", "M-07", "M-08")
async def test_password_manager_pro() -> None:
    """A native client with one name in both kinds, and one grant for both scopes."""
    ctx = fake_context()
    await begin(ctx, "password-manager-pro")
    made = application(ctx).wanted
    assert (made.audience, made.public_client) == ("AzureADMyOrg", True)
    assert (made.web_redirects, made.native_redirects, made.spa_redirects) == ((), (), ())
    assert configured(ctx) == {
        ("application", "Directory.Read.All"),
        ("delegated", "Directory.Read.All"),
        ("delegated", "Directory.AccessAsUser.All"),
    }
    assert granted(ctx) == {"Directory.Read.All"}
    assert scopes(ctx) == [("Directory.AccessAsUser.All", "Directory.Read.All")]
    (grant,) = principal(ctx).delegated
    assert grant.everybody
    assert ctx.tenant.faults.count("consents.grant_scopes") == 1


@pytest.mark.requirement("D-17")
async def test_the_portals_default_permission_is_tolerated_where_the_guide_keeps_it() -> None:
    ctx = fake_context()
    await begin(ctx, "password-manager-pro")
    default = permission(ctx, "User.Read", Kind.DELEGATED)
    row = application(ctx)
    row.wanted = replace(row.wanted, configured=row.wanted.configured | {default.key})
    await go_on(ctx, "again")
    assert default.key in application(ctx).wanted.configured
    other = permission(ctx, "Group.Read.All")
    row.wanted = replace(row.wanted, configured=row.wanted.configured | {other.key})
    await go_on(ctx, "third")
    assert default.key in application(ctx).wanted.configured
    assert other.key not in application(ctx).wanted.configured


@pytest.mark.requirement("D-17")
async def test_every_other_permission_is_removed_from_a_new_application() -> None:
    ctx = fake_context()
    await begin(ctx, "devolutions-server")
    default = permission(ctx, "User.Read", Kind.DELEGATED)
    row = application(ctx)
    row.wanted = replace(row.wanted, configured=row.wanted.configured | {default.key})
    await go_on(ctx, "again")
    assert default.key not in application(ctx).wanted.configured


async def test_several_apis_in_one_profile() -> None:
    ctx = fake_context()
    features = dict.fromkeys(catalogue()["netwrix-1secure"].features, True)
    await begin(ctx, "netwrix-1secure", features=features)
    grants = principal(ctx).grants
    apis = {
        app_id
        for app_id, api in ctx.tenant.resources.items()
        if api.principal_id in {grant.resource_id for grant in grants}
    }
    names = ("microsoft-graph", "o365-management", "exchange-online", "sharepoint-online")
    assert apis == {RESOURCES[name] for name in names}
    assert {"ActivityFeed.Read", "Exchange.ManageAsApp", "Sites.FullControl.All"} <= granted(ctx)


@pytest.mark.requirement("A-07")
@pytest.mark.parametrize(
    "scope", ["microsoft-teams", "azure-devops", "azure-sql", "business-central"]
)
async def test_pandium_onboards_for_every_service(scope: str) -> None:
    ctx = fake_context()
    done = await begin(ctx, "pandium", inputs={"scope": scope})
    consented = done.condition(Aspect.CONSENTED)
    assert consented is not None and consented.status == Status.TRUE
    assert granted(ctx) == set()


@pytest.mark.requirement("N-01", "N-02", "N-03")
async def test_netwrix_is_named_after_the_organisation_and_has_no_redirect() -> None:
    ctx = fake_context()
    await begin(ctx, "netwrix-identity-manager", inputs={"organization": "Contoso"})
    made = application(ctx).wanted
    assert made.display_name == "Identity Manager Contoso"
    assert made.audience == "AzureADMyOrg"
    assert made.web_redirects == ()


@pytest.mark.requirement("N-17")
async def test_a_response_uri_is_registered_as_web_redirect() -> None:
    ctx = fake_context()
    uri = "https://agent.contoso.example/cb"
    await begin(ctx, "netwrix-identity-manager", inputs={"response_uri": uri})
    assert application(ctx).wanted.web_redirects == (uri,)


@pytest.mark.requirement("N-24")
async def test_a_named_person_becomes_an_owner() -> None:
    ctx = fake_context()
    ctx.tenant.users["ana@contoso.example"] = "ana-id"
    await begin(ctx, "netwrix-identity-manager", inputs={"owner": "ana@contoso.example"})
    assert application(ctx).owners == {ctx.tenant.own_principal, "ana-id"}


@pytest.mark.requirement("N-24")
@pytest.mark.diagnosis("INPUT_INVALID")
async def test_an_owner_whom_nobody_knows_stops_before_anything_is_made() -> None:
    ctx = fake_context()
    await begin(ctx, "netwrix-identity-manager", inputs={"owner": "nobody@contoso.example"})
    condition = await told(ctx)
    assert (condition.status, condition.reason) == (Status.FALSE, "INPUT_INVALID:owner")
    assert "nobody@contoso.example" in condition.message
    assert condition.remedy
    assert ctx.tenant.applications == {}


@pytest.mark.requirement("D-18", "M-08")
async def test_scopes_that_others_were_granted_stay() -> None:
    ctx = fake_context()
    await begin(ctx, "password-manager-pro")
    (held,) = principal(ctx).delegated
    held.scopes = ("Mail.Send", "Directory.Read.All")
    await go_on(ctx, "again")
    assert scopes(ctx) == [("Directory.AccessAsUser.All", "Directory.Read.All", "Mail.Send")]
    assert ctx.tenant.faults.count("consents.grant_scopes") == 1


@pytest.mark.requirement("X-03")
@pytest.mark.diagnosis("ALREADY_THERE")
async def test_a_grant_that_is_not_listed_yet_is_read_before_it_is_changed() -> None:
    ctx = fake_context()
    ctx.tenant.lag = 3  # reads that do not see what was made
    await begin(ctx, "password-manager-pro")
    condition = await told(ctx, Aspect.CONSENTED)
    assert condition.status == Status.TRUE
    assert scopes(ctx) == [("Directory.AccessAsUser.All", "Directory.Read.All")]
    (grant,) = principal(ctx).grants
    assert grant.resource_id == ctx.tenant.resources[GRAPH_APP_ID].principal_id


@pytest.mark.requirement("D-16", "D-20", "X-17")
async def test_what_was_granted_is_noted_and_told() -> None:
    ctx = fake_context()
    await begin(ctx, "password-manager-pro")
    role = permission(ctx, "Directory.Read.All").key
    given = (await found(ctx)).given
    assert f"{GRAPH_APP_ID}/application/{role.id}" in given
    assert len([mark for mark in given if "/delegated/" in mark]) == 2
    rows = await audit(ctx, "consent.granted")
    assert [row["kind"] for row in rows] == ["application", "delegated"]
    assert rows[1]["permission"] == "Directory.Read.All Directory.AccessAsUser.All"


def test_requests_of_these_tests_are_good_ones() -> None:
    assert spec_of("pandium").inputs["scope"] == "microsoft-graph"
