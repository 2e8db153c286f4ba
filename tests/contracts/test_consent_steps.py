"""The steps registration and consent against the emulated tenant, over the wire."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from shared.adapters.graph_client import Graph
from shared.adapters.graph_directory import GraphDirectory
from shared.model.connection import Aspect, Condition, Status
from shared.model.directory import GRAPH_APP_ID, Kind
from shared.model.profile import RESOURCES, RETIRED, PermissionSet
from shared.planning.consent import Verdict, judge
from shared.profile import catalogue
from tests.contracts.stage import PRINCIPAL, Stage, needs_human, settings_of
from tests.contracts.tenancy import (
    administer,
    configured,
    context,
    ours,
    principal_of,
    roles_of,
    scopes_of,
)
from tests.fakes import FakeContext
from tests.in_memory.access.world import alter, begin, found, go_on, told

NETWRIX = "netwrix-identity-manager"
PMP = "password-manager-pro"
M365 = "manageengine-m365"
DVLS = "devolutions-server"
READ = "7ab1d382-f21e-4acd-a863-ba3e13f7da61"
WRITE = "19dbc75e-c2e2-444c-a770-ec69d8559fc7"
GRANT = "POST /servicePrincipals/{id}/appRoleAssignedTo"
UPSERT = "PATCH /applications(uniqueName='keyturn-conn')"


async def consented(ctx: FakeContext) -> None:
    condition = await told(ctx, Aspect.CONSENTED)
    assert condition.status == Status.TRUE, condition


async def stopped(ctx: FakeContext, aspect: Aspect, code: str) -> Condition:
    condition = await told(ctx, aspect)
    assert (condition.status, condition.reason) == (Status.FALSE, code), condition
    assert condition.remedy
    return condition


@pytest.mark.requirement("M-01", "M-02", "M-03", "M-04", "M-05", "M-06", "M-07", "M-08", "X-03")
async def test_password_manager_pro(stage: Stage):
    ctx = context(stage)
    await begin(ctx, PMP)
    await consented(ctx)
    made = await ours(stage)
    assert (made["signInAudience"], made["isFallbackPublicClient"]) == ("AzureADMyOrg", True)
    assert made["publicClient"]["redirectUris"] == []
    assert {(kind, id_) for _, kind, id_ in configured(made)} == {
        ("Role", READ),
        ("Scope", "06da0dbc-49e2-44d2-8312-53f166ab848a"),
        ("Scope", "0e263e50-5827-48a4-b97c-d940288653c7"),
    }
    assert await roles_of(stage, made["appId"]) == {READ: "Microsoft Graph"}
    (grant,) = await scopes_of(stage, made["appId"])
    assert grant["consentType"] == "AllPrincipals"
    assert set(grant["scope"].split()) == {"Directory.Read.All", "Directory.AccessAsUser.All"}
    before = len([r for m in ("POST", "PATCH", "DELETE") for r in await stage.traffic(m, "v1.0")])
    await go_on(ctx, "again")
    after = len([r for m in ("POST", "PATCH", "DELETE") for r in await stage.traffic(m, "v1.0")])
    assert after == before


@pytest.mark.requirement("M-08")
async def test_scopes_of_others_stay_in_the_one_grant(stage: Stage):
    ctx = context(stage)
    await begin(ctx, PMP)
    made = await ours(stage)
    (grant,) = await scopes_of(stage, made["appId"])
    path = f"/oauth2PermissionGrants/{grant['id']}"
    await administer(stage, "PATCH", path, {"scope": "Mail.Send Directory.Read.All"})
    await go_on(ctx, "again")
    (grant,) = await scopes_of(stage, made["appId"])
    assert grant["scope"] == "Mail.Send Directory.Read.All Directory.AccessAsUser.All"


@pytest.mark.requirement("N-11", "N-12")
async def test_a_change_of_permissions(stage: Stage):
    ctx = context(stage)
    await begin(ctx, NETWRIX, features={"export": True, "fulfilment": False})
    made = await ours(stage)
    assert set(await roles_of(stage, made["appId"])) == {READ}
    await alter(ctx, "on", features={"export": True, "fulfilment": True})
    await consented(ctx)
    assert set(await roles_of(stage, made["appId"])) == {WRITE}
    assert configured(await ours(stage)) == {(GRAPH_APP_ID, "Role", WRITE)}
    posts = await stage.traffic("POST", "appRoleAssignedTo")
    deletes = await stage.traffic("DELETE", "appRoleAssignedTo")
    assert (len(posts), len(deletes)) == (2, 1)


async def test_scopes_are_taken_back(stage: Stage):
    ctx = context(stage)
    await begin(ctx, "bitwarden-directory-connector", features={"administrative_units": True})
    made = await ours(stage)
    await alter(ctx, "off", features={"administrative_units": False})
    (grant,) = await scopes_of(stage, made["appId"])
    assert set(grant["scope"].split()) == {"User.ReadBasic.All", "User.Read.All", "Group.Read.All"}
    (shown,) = await stage.consents.delegated((await found(ctx)).facts.principal_id)
    await stage.consents.set_scopes(shown, ())
    await stage.consents.set_scopes(shown, ())
    assert await scopes_of(stage, made["appId"]) == []


async def test_several_apis(stage: Stage):
    ctx = context(stage)
    await begin(ctx, M365)
    await consented(ctx)
    apis = set((await roles_of(stage, (await ours(stage))["appId"])).values())
    assert apis == {
        "Microsoft Graph",
        "Office 365 Exchange Online",
        "Office 365 SharePoint Online",
    }


@pytest.mark.requirement("X-20")
@pytest.mark.parametrize("may", [True, False])
async def test_an_api_that_the_tenant_lacks(stage: Stage, may: bool):  # noqa: FBT001 - a case
    sharepoint = RESOURCES["sharepoint-online"]
    await administer(stage, "DELETE", f"/servicePrincipals(appId='{sharepoint}')")
    if may:
        own = stage.running.automation.client_id
        await stage.control("grant", app=own, role="Application.ReadWrite.All")
    ctx = context(stage)
    await begin(ctx, M365)
    if may:
        await consented(ctx)
        assert len(await stage.traffic("POST", "/v1.0/servicePrincipals")) > 1
    else:
        condition = await stopped(ctx, Aspect.REGISTERED, "RESOURCE_MISSING")
        assert f"az ad sp create --id {sharepoint}" in condition.remedy


@pytest.mark.requirement("N-24", "N-17")
async def test_a_person_owns_it_and_the_redirect_is_registered(stage: Stage):
    users = await administer(stage, "GET", "/users?$top=1&$select=id,userPrincipalName")
    user = users["value"][0]
    inputs = {"owner": user["userPrincipalName"], "response_uri": "https://agent.example/cb"}
    ctx = context(stage)
    await begin(ctx, NETWRIX, inputs=inputs)
    made = await ours(stage)
    own = await stage.directory.own_principal()
    assert set(made["owners"]) == {own, user["id"]}
    assert made["web"]["redirectUris"] == ["https://agent.example/cb"]
    assert await stage.directory.user_id(user["id"]) == user["id"]
    assert await stage.directory.user_id("nobody@nowhere.example") is None


@pytest.mark.requirement("D-01")
@pytest.mark.diagnosis("TENANT_MISMATCH")
async def test_another_tenant(stage: Stage):
    other = "0f8fad5b-d9cb-469f-a165-70867728950e"
    graph = Graph(settings_of(stage.running, tenant_id=other), stage.credential)
    error = await needs_human(GraphDirectory(graph).tenant(), "TENANT_MISMATCH")
    assert stage.running.tenant_id in error.message
    assert other in error.message
    await graph.close()


@pytest.mark.requirement("D-02")
@pytest.mark.diagnosis("APP_CREATE_FAILED")
async def test_an_application_that_cannot_be_made(stage: Stage):
    quota = {
        "status": 400,
        "code": "Directory_QuotaExceeded",
        "message": "The directory object quota limit for the Principal has been exceeded.",
    }
    await stage.fault(quota, call=UPSERT)
    ctx = context(stage)
    await begin(ctx, NETWRIX)
    condition = await stopped(ctx, Aspect.REGISTERED, "APP_CREATE_FAILED")
    assert "quota limit" in condition.message


@pytest.mark.requirement("D-03")
@pytest.mark.diagnosis("APP_NAME_CLASH")
async def test_a_namesake(stage: Stage):
    other = await stage.registered()  # is called DVLS PAM
    ctx = context(stage)
    await begin(ctx, DVLS, inputs={"provider_name": "DVLS PAM"})
    await consented(ctx)
    assert f"APP_NAME_CLASH: 1 more applications are called 'DVLS PAM' ({other.client_id})" in (
        (await told(ctx)).message
    )
    assert await stage.applications.namesakes("It's nobody's") == frozenset()


REPLICATION = [
    ("F2", "PATCH /servicePrincipals(appId='{id}')"),
    ("F3", "PATCH /servicePrincipals(appId='{id}')"),
    ("F4", GRANT),
    ("F4", "POST /oauth2PermissionGrants"),
]


@pytest.mark.requirement("D-02", "D-04", "D-18")
@pytest.mark.diagnosis("APP_REPLICATION", "APP_REPLICATION_403", "APPROLE_BAD_REF")
@pytest.mark.parametrize(("fault", "call"), REPLICATION)
async def test_replication_is_waited_for(stage: Stage, fault: str, call: str):
    await stage.fault(fault, call=call, times=2)
    ctx = context(stage)
    await begin(ctx, PMP)
    await consented(ctx)
    assert await stage.hits() == 2


@pytest.mark.requirement("D-18")
@pytest.mark.diagnosis("APPROLE_BAD_REF")
async def test_ids_of_an_api_that_was_made_anew(stage: Stage):
    """The process knows the service principal that is gone; the ids are asked for again."""
    sharepoint = RESOURCES["sharepoint-online"]
    directory = stage.directory
    old = await directory.resource(sharepoint)
    await administer(stage, "DELETE", f"/servicePrincipals(appId='{sharepoint}')")
    new = await administer(stage, "POST", "/servicePrincipals", {"appId": sharepoint})
    assert old is not None
    assert new["id"] != old.principal_id
    ctx = replace(context(stage), directory=directory)
    await begin(ctx, M365)
    await consented(ctx)
    assert len(await roles_of(stage, (await ours(stage))["appId"])) > 3


@pytest.mark.requirement("X-03", "D-18")
@pytest.mark.diagnosis("ALREADY_THERE")
@pytest.mark.parametrize("call", [GRANT, "POST /oauth2PermissionGrants"])
async def test_what_is_there_already_is_success(stage: Stage, call: str):
    """The grant was made, and only its answer was lost."""
    await stage.fault("lost", call=call, times=1)
    ctx = context(stage)
    await begin(ctx, PMP)
    await consented(ctx)
    made = await ours(stage)
    assert set(await roles_of(stage, made["appId"])) == {READ}
    assert len(await scopes_of(stage, made["appId"])) == 1


@pytest.mark.requirement("X-20")
@pytest.mark.diagnosis("AUTOMATION_OWNEDBY_LIST")
async def test_applications_are_never_listed(stage: Stage):
    """Whether OwnedBy may list is told differently: it must not matter."""
    denial = {
        "status": 403,
        "code": "Authorization_RequestDenied",
        "message": "Insufficient privileges to complete the operation.",
    }
    await stage.fault(denial, call="GET /applications")
    ctx = context(stage)
    await begin(ctx, DVLS)
    await consented(ctx)
    asked = [row["url"].partition("/v1.0")[2] for row in await stage.traffic("GET", "/v1.0/")]
    assert asked
    assert not [path for path in asked if path.partition("?")[0] == "/applications"]
    assert await stage.hits() == 0


@pytest.mark.diagnosis("EMPTY_403")
async def test_a_refusal_without_a_word(stage: Stage):
    silent = {"status": 403, "code": "Authorization_RequestDenied", "message": ""}
    await stage.fault(silent, call=GRANT)
    ctx = context(stage)
    await begin(ctx, NETWRIX)
    condition = await stopped(ctx, Aspect.CONSENTED, "EMPTY_403")
    assert "The token holds" in condition.message
    assert "the call needs AppRoleAssignment.ReadWrite.All" in condition.message


@pytest.mark.requirement("D-18", "N-13")
@pytest.mark.diagnosis("CONSENT_DENIED", "ADMIN_CANNOT_CONSENT")
async def test_a_denied_grant(stage: Stage):
    denial = {"status": 403, "code": "Authorization_RequestDenied", "message": "By policy."}
    await stage.fault(denial, call=GRANT, times=1)
    ctx = context(stage)
    await begin(ctx, NETWRIX)
    condition = await stopped(ctx, Aspect.CONSENTED, "CONSENT_DENIED")
    assert "By policy." in condition.message
    assert "Application Administrator cannot grant" in condition.remedy
    await go_on(ctx, "again")
    await consented(ctx)


@pytest.mark.requirement("D-18", "N-13")
@pytest.mark.diagnosis("CONSENT_MISSING")
async def test_a_grant_that_is_never_listed(stage: Stage):
    ctx = context(stage)
    await begin(ctx, NETWRIX, features={"export": False})
    await stage.control("lag", seconds=3600)
    await alter(ctx, "on", features={"export": True, "fulfilment": False})
    condition = await stopped(ctx, Aspect.CONSENTED, "CONSENT_MISSING")
    assert "1 of 1 permissions" in condition.message
    await stage.control("lag", seconds=0)
    await go_on(ctx, "again")
    await consented(ctx)


class TestAdoption:
    @pytest.mark.requirement("A-03", "A-04")
    async def test_it_is_only_added_to(self, stage: Stage):
        made = await stage.registered()
        before = await ours(stage, "keyturn-dvls")
        inputs = {"scope": "microsoft-graph", "app_client_id": made.client_id}
        ctx = context(stage)
        await begin(ctx, "pandium", inputs=inputs)
        await consented(ctx)
        after = await ours(stage, "keyturn-dvls")
        assert after["tags"] == [*before["tags"], "keyturn:conn"]
        same = ("displayName", "web", "spa", "publicClient", "owners", "requiredResourceAccess")
        assert {key: after[key] for key in same} == {key: before[key] for key in same}
        assert after["servicePrincipalLockConfiguration"] is None
        assert "EXTRA_PERMISSION" in (await told(ctx)).message

    @pytest.mark.requirement("A-03")
    @pytest.mark.diagnosis("WRONG_ID_KIND")
    @pytest.mark.parametrize("field", ["object_id", "principal_id"])
    async def test_another_id_of_it(self, stage: Stage, field: str):
        made = await stage.registered()
        inputs = {"scope": "microsoft-graph", "app_client_id": getattr(made, field)}
        ctx = context(stage)
        await begin(ctx, "pandium", inputs=inputs)
        condition = await stopped(ctx, Aspect.REGISTERED, "WRONG_ID_KIND")
        assert made.client_id in condition.message
        assert ("service principal" in condition.message) == (field == "principal_id")

    @pytest.mark.requirement("A-03")
    @pytest.mark.diagnosis("APP_NOT_FOUND")
    async def test_an_id_of_nothing(self, stage: Stage):
        nothing = "0f8fad5b-d9cb-469f-a165-70867728950e"
        inputs = {"scope": "microsoft-graph", "app_client_id": nothing}
        ctx = context(stage)
        await begin(ctx, "pandium", inputs=inputs)
        condition = await stopped(ctx, Aspect.REGISTERED, "APP_NOT_FOUND")
        assert nothing in condition.message

    @pytest.mark.requirement("A-03", "X-20")
    @pytest.mark.diagnosis("AUTOMATION_NOT_OWNER")
    async def test_somebody_elses(self, stage: Stage):
        theirs = await administer(stage, "POST", "/applications", {"displayName": "Theirs"})
        inputs = {"scope": "microsoft-graph", "app_client_id": theirs["appId"]}
        ctx = context(stage)
        await begin(ctx, "pandium", inputs=inputs)
        condition = await stopped(ctx, Aspect.REGISTERED, "AUTOMATION_NOT_OWNER")
        own = await stage.directory.own_principal()
        assert own in condition.remedy
        assert not await stage.traffic("PATCH", theirs["id"])
        reference = {"@odata.id": f"{stage.running.graph}/directoryObjects/{own}"}
        await administer(stage, "POST", f"/applications/{theirs['id']}/owners/$ref", reference)
        await go_on(ctx, "again")
        await consented(ctx)
        principal = await principal_of(stage, theirs["appId"])
        assert principal["displayName"] == "Theirs"


@pytest.mark.diagnosis("APP_DELETED")
async def test_a_deleted_application_comes_back(stage: Stage):
    ctx = context(stage)
    await begin(ctx, NETWRIX)
    facts = (await found(ctx)).facts
    await administer(stage, "DELETE", f"/applications/{facts.object_id}")
    ctx.clock.advance(days=1)
    await go_on(ctx, "again")
    condition = await stopped(ctx, Aspect.REGISTERED, "APP_DELETED")
    when = await stage.applications.deleted(facts.object_id)
    assert when is not None
    assert f"{when:%Y-%m-%d}" in condition.message
    assert f"{when + timedelta(days=30):%Y-%m-%d}" in condition.remedy
    await administer(stage, "POST", f"/directory/deletedItems/{facts.object_id}/restore")
    await go_on(ctx, "third")
    await consented(ctx)
    assert (await found(ctx)).facts.client_id == facts.client_id


@pytest.mark.requirement("M-37", "X-08")
@pytest.mark.diagnosis("RETIRED_API")
async def test_a_grant_on_azure_ad_graph_is_recognised(stage: Stage):
    made = await stage.registered()
    await stage.control("grant", app=made.client_id, role="Directory.Read.All", resource=RETIRED)
    retired = await stage.directory.resource(RETIRED)
    graph = await stage.directory.resource(GRAPH_APP_ID)
    assert retired is not None
    assert graph is not None
    granted = await stage.consents.granted(made.principal_id)
    (judged,) = judge((), (graph, retired), granted, ())
    assert (judged.verdict, judged.name) == (Verdict.RETIRED, "Directory.Read.All")


@pytest.mark.requirement("D-15")
@pytest.mark.diagnosis("PERM_UNKNOWN")
async def test_a_permission_that_is_disabled_cannot_be_had(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
):
    names = (PermissionSet(kind=Kind.APPLICATION, names=("AgentCard.Read.All",)),)
    changed = {NETWRIX: replace(catalogue()[NETWRIX], permissions=names)}
    monkeypatch.setattr("shared.runtime.catalogue", lambda: changed)
    ctx = context(stage)
    await begin(ctx, NETWRIX)
    condition = await stopped(ctx, Aspect.REGISTERED, "PERM_UNKNOWN")
    assert "AgentCard.Read.All" in condition.message


async def test_the_principal_is_put_right(stage: Stage):
    made = await stage.registered()
    wanted = replace(PRINCIPAL, assignment_required=True, tags=(*PRINCIPAL.tags, "HideApp"))
    await stage.applications.ensure_principal(made.client_id, wanted)
    shown = await stage.applications.principal(made.client_id)
    assert shown is not None
    assert shown.assignment_required
    assert set(wanted.tags) <= set(shown.tags)
