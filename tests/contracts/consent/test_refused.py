"""Registration and consent while the tenant lags, refuses, or has it already."""

import pytest
from msgspec.structs import replace

from shared.model.connection import Aspect
from shared.model.profile import RESOURCES
from tests.contracts.consent.world import DVLS, GRANT, M365, NETWRIX, PMP, READ, consented, stopped
from tests.contracts.stage import Stage
from tests.contracts.tenancy import administer, context, ours, roles_of, scopes_of
from tests.in_memory.access.world import alter, begin, go_on

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
