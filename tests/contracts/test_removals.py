"""What an offboarding removes in the tenant and in Azure DevOps, through the SDKs."""

import pytest

from shared.adapters.graph_federation import GraphFederation
from tests.contracts.stage import WANTED, Stage, needs_human
from tests.contracts.test_devops import Bench, bench
from tests.contracts.test_graph_federation import WANTED as TRUST

pytestmark = pytest.mark.requirement("X-18")

__all__ = ["bench"]

UNKNOWN = "0f8fad5b-d9cb-469f-a165-70867728950e"


async def test_the_application_goes_with_its_principal_and_can_be_restored(stage: Stage):
    made = await stage.registered()
    for _ in range(2):
        await stage.applications.remove(made.object_id)
        assert await stage.applications.find(WANTED.unique_name) is None
        assert await stage.applications.principal(made.client_id) is None
        assert await stage.applications.deleted(made.object_id) is not None
    kinds = {item["kind"] for item in (await stage.state())["deletedItems"]}
    assert kinds == {"application", "servicePrincipal"}
    assert len(await stage.traffic("DELETE", "/applications/")) == 2


async def test_an_application_that_never_was_is_no_trouble(stage: Stage):
    await stage.applications.remove(UNKNOWN)
    assert await stage.applications.deleted(UNKNOWN) is None


async def test_the_unique_name_is_free_again(stage: Stage):
    first = await stage.registered()
    await stage.applications.remove(first.object_id)
    second = await stage.registered()
    assert second.object_id != first.object_id and second.client_id != first.client_id


async def test_what_the_automation_may_not_delete_is_told(stage: Stage):
    made = await stage.registered()
    denied = {
        "status": 403,
        "code": "Authorization_RequestDenied",
        "message": "Insufficient privileges to complete the operation.",
    }
    await stage.fault(denied, call="DELETE /applications/{id}")
    refusal = await needs_human(stage.applications.remove(made.object_id), "AUTOMATION_NOT_OWNER")
    assert "owner" in refusal.remedy and "request-id" in refusal.message
    assert await stage.applications.find(WANTED.unique_name) is not None


async def test_reading_what_a_deleted_application_had_finds_nothing(stage: Stage):
    made = await stage.registered()
    api, permission = await stage.permission("User.Read.All")
    await stage.consents.grant(made.principal_id, api, permission)
    await stage.secret(made.object_id)
    (grant,) = await stage.consents.granted(made.principal_id)
    await stage.applications.remove(made.object_id)
    assert await stage.consents.granted(made.principal_id) == []
    assert await stage.consents.delegated(made.principal_id) == []
    assert await stage.roles.assigned(made.principal_id) == []
    assert await stage.credentials.held(made.object_id) is None
    assert await GraphFederation(stage.graph).trusted(made.object_id) == []
    assert grant.permission_id == permission


async def test_the_federated_credential_is_removed(stage: Stage):
    made, federation = await stage.registered(), GraphFederation(stage.graph)
    await federation.add(made.object_id, TRUST)
    (found,) = await federation.trusted(made.object_id)
    for _ in range(2):
        await federation.remove(made.object_id, found.id)
        assert await federation.trusted(made.object_id) == []


async def test_a_member_leaves_the_organisation(bench: Bench):
    _, wanted = await bench.principal()
    added = await bench.organisations.add("contoso", wanted)
    for _ in range(2):
        await bench.organisations.remove("contoso", added.id)
        assert await bench.organisations.member("contoso", added.id) is None


async def test_only_an_administrator_takes_members_out(bench: Bench):
    _, wanted = await bench.principal()
    added = await bench.organisations.add("contoso", wanted)
    await bench.control("organisations", name="contoso", administrators=[])
    refused = bench.organisations.remove("contoso", added.id)
    assert "contoso" in (await needs_human(refused, "DEVOPS_NEEDS_PCA")).message
