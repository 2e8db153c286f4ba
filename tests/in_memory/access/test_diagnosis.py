"""Each symptom that registration and consent may meet, its cause told and its remedy."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from shared.errors import NeedsHuman, TryLater
from shared.model.connection import Aspect, Condition, Status
from shared.model.directory import GRAPH_APP_ID, Kind
from shared.model.profile import RESOURCES, PermissionSet
from shared.profile import catalogue
from tests.fakes import FakeContext, fake_context
from tests.fakes.tenant import PrincipalRow, service
from tests.in_memory.access.world import (
    application,
    audit,
    begin,
    found,
    go_on,
    granted,
    permission,
    told,
)

DVLS = "devolutions-server"
M365 = "manageengine-m365"


async def stopped(ctx: FakeContext, aspect: Aspect, code: str) -> Condition:
    condition = await told(ctx, aspect)
    assert (condition.status, condition.reason) == (Status.FALSE, code), condition
    assert condition.remedy
    return condition


@pytest.mark.requirement("D-01")
@pytest.mark.diagnosis("TENANT_MISMATCH")
async def test_another_tenant_than_the_configured_one() -> None:
    ctx = fake_context()
    ctx.tenant.configured_id = "another"
    await begin(ctx, DVLS)
    condition = await stopped(ctx, Aspect.REGISTERED, "TENANT_MISMATCH")
    assert ctx.tenant.identity.id in condition.message
    assert ctx.tenant.applications == {}


@pytest.mark.requirement("D-02")
@pytest.mark.diagnosis("APP_CREATE_FAILED")
async def test_a_tenant_that_refuses_to_make_it() -> None:
    ctx = fake_context()
    refusal = NeedsHuman("GRAPH_REFUSED", "HTTP 400: The directory object quota is exceeded", "x")
    ctx.tenant.fail("applications.ensure", refusal)
    await begin(ctx, DVLS)
    condition = await stopped(ctx, Aspect.REGISTERED, "APP_CREATE_FAILED")
    assert "quota is exceeded" in condition.message


@pytest.mark.requirement("D-03")
@pytest.mark.diagnosis("APP_NAME_CLASH")
async def test_a_namesake_is_a_warning_and_no_stop() -> None:
    ctx = fake_context()
    other = PrincipalRow(client_id="other-client", name="DVLS PAM")
    ctx.tenant.principals[other.client_id] = other
    await begin(ctx, DVLS, inputs={"provider_name": "DVLS PAM"})
    condition = await told(ctx)
    assert condition.status == Status.TRUE
    assert "APP_NAME_CLASH: 1 more" in condition.message
    assert "other-client" in condition.message
    assert "other-client" in str(await audit(ctx, "application.noted"))


@pytest.mark.requirement("D-02", "D-04")
@pytest.mark.diagnosis("APP_REPLICATION", "APP_REPLICATION_403")
@pytest.mark.parametrize(
    ("call", "code"),
    [
        ("applications.lock", "APP_REPLICATION"),
        ("applications.ensure_principal", "APP_REPLICATION"),
        ("applications.ensure_principal", "APP_REPLICATION_403"),
        ("consents.grant", "APP_REPLICATION"),
    ],
)
async def test_what_is_not_replicated_yet_is_waited_for(call: str, code: str) -> None:
    ctx = fake_context()
    ctx.tenant.fail(call, TryLater(code, f"{call} before its time"), times=4)
    await begin(ctx, DVLS)
    assert (await told(ctx, Aspect.CONSENTED)).status == Status.TRUE
    assert len(granted(ctx)) == 4


@pytest.mark.requirement("D-02", "D-04")
@pytest.mark.diagnosis("APP_REPLICATION", "SP_REPLICATION")
@pytest.mark.parametrize(
    ("call", "code"),
    [
        ("applications.settled", "APP_REPLICATION"),
        ("applications.settled_principal", "SP_REPLICATION"),
    ],
)
async def test_replicas_that_never_agree_are_told_of(
    call: str, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ctx = fake_context()

    async def nothing(_: str) -> None:
        return None

    monkeypatch.setattr(ctx.applications, call.partition(".")[2], nothing)
    await begin(ctx, DVLS)
    condition = await stopped(ctx, Aspect.REGISTERED, code)
    assert "not visible everywhere" in condition.message


@pytest.mark.diagnosis("APP_DELETED")
async def test_a_deleted_application_is_restored_and_not_made_anew() -> None:
    ctx = fake_context()
    await begin(ctx, DVLS)
    row = application(ctx)
    name = row.wanted.unique_name
    ctx.clock.advance(days=3)
    ctx.tenant.deleted[row.id] = ctx.clock.now() - timedelta(days=1)
    del ctx.tenant.applications[name]
    await go_on(ctx, "again")
    condition = await stopped(ctx, Aspect.REGISTERED, "APP_DELETED")
    day = ctx.tenant.deleted[row.id]
    assert f"deleted on {day:%Y-%m-%d}" in condition.message
    assert f"by {day + timedelta(days=30):%Y-%m-%d}" in condition.remedy
    assert ctx.tenant.applications == {}
    ctx.tenant.applications[name] = row  # as the remedy says
    await go_on(ctx, "third")
    assert (await told(ctx)).status == Status.TRUE
    assert ctx.tenant.applications == {name: row}


@pytest.mark.diagnosis("APP_DELETED")
async def test_an_application_deleted_for_good() -> None:
    ctx = fake_context()
    await begin(ctx, DVLS)
    ctx.tenant.applications.clear()
    ctx.clock.advance(days=40)
    await go_on(ctx, "again")
    condition = await stopped(ctx, Aspect.REGISTERED, "APP_DELETED")
    assert "cannot be restored" in condition.remedy


@pytest.mark.requirement("D-19", "X-20")
@pytest.mark.diagnosis("AUTOMATION_PRIVILEGE", "ADMIN_CANNOT_CONSENT")
@pytest.mark.parametrize(
    ("profile", "lacking"),
    [
        (DVLS, "AppRoleAssignment.ReadWrite.All"),
        ("password-manager-pro", "DelegatedPermissionGrant.ReadWrite.All"),
    ],
)
async def test_an_automation_that_may_not_consent_says_who_may(profile: str, lacking: str) -> None:
    """Taken from it after the preflight, which would have said so before the first write."""
    ctx = fake_context()
    before = ctx.tenant.own_roles

    async def own_roles(*, fresh: bool = False) -> frozenset[str]:
        return before - {lacking} if ctx.tenant.applications else before

    ctx.directory.own_roles = own_roles  # type: ignore[method-assign]
    await begin(ctx, profile)
    condition = await stopped(ctx, Aspect.CONSENTED, "AUTOMATION_PRIVILEGE")
    assert f"lacks {lacking}" in condition.message
    assert "Privileged Role Administrator or Global Administrator" in condition.remedy
    assert "Application Administrator cannot" in condition.remedy
    assert granted(ctx) == set()


@pytest.mark.requirement("D-18")
@pytest.mark.diagnosis("CONSENT_DENIED")
async def test_a_grant_that_is_denied() -> None:
    ctx = fake_context()
    denial = NeedsHuman("CONSENT_DENIED", "HTTP 403: blocked by policy", "ask")
    ctx.tenant.fail("consents.grant", denial)
    await begin(ctx, DVLS)
    condition = await stopped(ctx, Aspect.CONSENTED, "CONSENT_DENIED")
    assert "blocked by policy" in condition.message
    await go_on(ctx, "again")
    assert (await told(ctx, Aspect.CONSENTED)).status == Status.TRUE


@pytest.mark.requirement("D-18", "N-13", "M-08")
@pytest.mark.diagnosis("CONSENT_MISSING")
async def test_grants_that_are_never_listed() -> None:
    ctx = fake_context()
    await begin(ctx, DVLS)
    for grant in ctx.tenant.principals[application(ctx).client_id].grants:
        grant.hidden = 100_000
    await go_on(ctx, "again")
    condition = await stopped(ctx, Aspect.CONSENTED, "CONSENT_MISSING")
    assert "4 of 4" in condition.message
    assert "Group.Read.All" in condition.message


@pytest.mark.diagnosis("APPROLE_BAD_REF")
async def test_an_api_that_was_made_anew_is_resolved_again() -> None:
    """The ids that the process knows are those of the service principal before."""
    ctx = fake_context()
    await ctx.directory.resource(GRAPH_APP_ID)
    fresh = replace(ctx.tenant.resources[GRAPH_APP_ID], principal_id="graph-made-anew")
    ctx.tenant.resources[GRAPH_APP_ID] = fresh
    await begin(ctx, DVLS)
    assert (await told(ctx, Aspect.CONSENTED)).status == Status.TRUE
    held = ctx.tenant.principals[application(ctx).client_id].grants
    assert {grant.resource_id for grant in held} == {"graph-made-anew"}
    assert ctx.tenant.faults.count("consents.grant") == 5


@pytest.mark.diagnosis("APPROLE_BAD_REF")
async def test_a_bad_reference_that_lasts_is_told() -> None:
    ctx = fake_context()
    bad = TryLater("APPROLE_BAD_REF", "HTTP 400: Not a valid reference update")
    ctx.tenant.fail("consents.grant", bad, times=10_000)
    await begin(ctx, DVLS)
    condition = await stopped(ctx, Aspect.CONSENTED, "APPROLE_BAD_REF")
    assert "gave up" in condition.message


class TestMissingApi:
    SHAREPOINT = RESOURCES["sharepoint-online"]

    async def test_it_is_added_where_the_automation_may(self) -> None:
        ctx = fake_context()
        del ctx.tenant.resources[self.SHAREPOINT]
        ctx.tenant.own_roles |= {"Application.ReadWrite.All"}
        await begin(ctx, M365)
        assert (await told(ctx, Aspect.CONSENTED)).status == Status.TRUE
        assert "Sites.Manage.All" in granted(ctx)
        (added,) = await audit(ctx, "api.added")
        assert "sharepoint-online" in str(added["api"])

    async def test_else_a_person_is_told_how(self) -> None:
        ctx = fake_context()
        del ctx.tenant.resources[self.SHAREPOINT]
        await begin(ctx, M365)
        condition = await stopped(ctx, Aspect.REGISTERED, "RESOURCE_MISSING")
        assert "sharepoint-online" in condition.message
        assert f"az ad sp create --id {self.SHAREPOINT}" in condition.remedy
        assert ctx.tenant.applications == {}
        ctx.tenant.resources[self.SHAREPOINT] = service(self.SHAREPOINT)
        await go_on(ctx, "again")
        assert (await told(ctx, Aspect.CONSENTED)).status == Status.TRUE

    @pytest.mark.diagnosis("SP_REPLICATION")
    async def test_one_that_is_not_visible_yet_is_waited_for(self) -> None:
        ctx = fake_context()
        del ctx.tenant.resources[self.SHAREPOINT]
        ctx.tenant.own_roles |= {"Application.ReadWrite.All"}
        ctx.tenant.fail("applications.add_api", TryLater("SP_REPLICATION", "added"), times=2)
        await begin(ctx, M365)
        assert (await told(ctx, Aspect.CONSENTED)).status == Status.TRUE
        assert "Sites.Manage.All" in granted(ctx)


WRONG = {
    "PERM_UNKNOWN": ("Gruop.Read.All", Kind.APPLICATION, "did you mean Group.Read.All?"),
    "PERM_DELEGATED_ONLY": ("Directory.AccessAsUser.All", Kind.APPLICATION, "delegated"),
    "PERM_KIND": ("Application.ReadWrite.OwnedBy", Kind.DELEGATED, "application"),
    "PERM_CASE": ("group.read.all", Kind.APPLICATION, "group.read.all was read as Group.Read.All"),
}


@pytest.mark.requirement("D-15", "M-07")
@pytest.mark.diagnosis("PERM_UNKNOWN", "PERM_DELEGATED_ONLY", "PERM_KIND", "PERM_CASE")
@pytest.mark.parametrize("code", WRONG)
async def test_names_that_a_guide_misprints(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name, kind, text = WRONG[code]
    plain = catalogue()[DVLS]
    wanted = (PermissionSet(kind=kind, names=(name,)),)
    changed = {DVLS: replace(plain, permissions=wanted)}
    monkeypatch.setattr("shared.runtime.catalogue", lambda: changed)
    ctx = fake_context()
    await begin(ctx, DVLS)
    condition = await told(ctx)
    assert text in condition.message
    if code == "PERM_CASE":
        assert condition.status == Status.TRUE
        assert granted(ctx) == {"Group.Read.All"}
        assert (await told(ctx, Aspect.CONSENTED)).message.endswith("Group.Read.All.")
    else:
        assert (condition.status, condition.reason) == (Status.FALSE, code)
        assert condition.remedy
        assert ctx.tenant.applications == {}


@pytest.mark.requirement("D-14")
async def test_without_discovery_no_permission_is_given_or_asked_for() -> None:
    ctx = fake_context()
    await begin(ctx, DVLS, features={"discovery": False})
    assert granted(ctx) == set()
    assert application(ctx).wanted.configured == frozenset()
    assert (await found(ctx)).given == ()
    assert permission(ctx, "User.Read.All").key not in application(ctx).wanted.configured


@pytest.mark.requirement("D-18")
@pytest.mark.diagnosis("TOKEN_OLDER_THAN_CONSENT")
async def test_tokens_that_do_not_know_of_the_consent_yet() -> None:
    """Granted and listed, but tokens are from before: waited for, then told."""
    ctx = fake_context()
    ctx.tenant.roles_unknown_to_tokens = frozenset({"Group.Read.All"})
    await begin(ctx, DVLS, whole=True)
    condition = await stopped(ctx, Aspect.CREDENTIAL_READY, "TOKEN_OLDER_THAN_CONSENT")
    assert "Group.Read.All" in condition.message
    ctx.tenant.roles_unknown_to_tokens = frozenset()
    await go_on(ctx, "again", whole=True)
    assert (await told(ctx, Aspect.VERIFIED)).status == Status.TRUE
