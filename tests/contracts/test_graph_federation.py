"""`ports.Federation`, and when an application was deleted, through the SDK."""

import pytest

from shared.adapters.graph_federation import GraphFederation
from shared.model.credential import FederatedTrust
from tests.contracts.stage import Registered, Stage, needs_human, try_later

WANTED = FederatedTrust(
    name="teleport-oidc",
    issuer="https://teleport.contoso.example",
    subject="teleport-azure",
    audiences=("api://AzureADTokenExchange",),
    description="Teleport OIDC Identity Provider",
)
PATH = "federatedIdentityCredentials"


@pytest.fixture
async def made(stage: Stage) -> Registered:
    return await stage.registered()


@pytest.fixture
def federation(stage: Stage) -> GraphFederation:
    return GraphFederation(stage.graph)


def without_id(trust: FederatedTrust) -> dict[str, object]:
    return {f: getattr(trust, f) for f in trust.__struct_fields__ if f != "id"}


async def test_added_and_read_back(federation: GraphFederation, made: Registered):
    assert await federation.trusted(made.object_id) == []
    await federation.add(made.object_id, WANTED)
    (found,) = await federation.trusted(made.object_id)
    assert without_id(found) == without_id(WANTED)
    assert found.id


async def test_added_twice_is_there_once(federation: GraphFederation, made: Registered):
    await federation.add(made.object_id, WANTED)
    await federation.add(made.object_id, WANTED)
    assert len(await federation.trusted(made.object_id)) == 1


async def test_corrected(federation: GraphFederation, made: Registered):
    wrong = FederatedTrust(
        name=WANTED.name, issuer="https://other.example", subject="x", audiences=("api://y",)
    )
    await federation.add(made.object_id, wrong)
    (found,) = await federation.trusted(made.object_id)
    await federation.correct(made.object_id, found.id, WANTED)
    (again,) = await federation.trusted(made.object_id)
    assert without_id(again) == without_id(WANTED)


async def test_an_application_that_is_not_there(federation: GraphFederation):
    unknown = "0f8fad5b-d9cb-469f-a165-70867728950e"
    assert await federation.trusted(unknown) == []
    await try_later(federation.add(unknown, WANTED), "APP_REPLICATION")


async def test_without_the_permission(stage: Stage, federation: GraphFederation):
    await stage.forbid("Application.ReadWrite.OwnedBy")
    await needs_human(federation.add("any", WANTED), "AUTOMATION_PRIVILEGE")


@pytest.mark.diagnosis("APP_DELETED")
async def test_when_an_application_was_deleted(stage: Stage, made: Registered):
    assert await stage.applications.deleted(made.object_id) is None
    builder = stage.graph.client.applications.by_application_id(made.object_id)
    await stage.graph.write(builder.to_delete_request_information(), doing="deleting")
    when = await stage.applications.deleted(made.object_id)
    assert when is not None
    assert when.tzinfo is not None
