"""The steps registration and consent against the emulated tenant, over the wire."""

import pytest

from shared.adapters.graph_client import Graph
from shared.adapters.graph_directory import GraphDirectory
from shared.model.connection import Aspect
from shared.model.directory import GRAPH_APP_ID
from shared.model.profile import RESOURCES
from tests.contracts.consent.world import (
    DVLS,
    M365,
    NETWRIX,
    PMP,
    READ,
    UPSERT,
    WRITE,
    consented,
    stopped,
)
from tests.contracts.stage import Stage, needs_human, settings_of
from tests.contracts.tenancy import administer, configured, context, ours, roles_of, scopes_of
from tests.in_memory.access.world import alter, begin, found, go_on, told


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
    assert apis == {"Microsoft Graph", "Office 365 Exchange Online", "Office 365 SharePoint Online"}


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
