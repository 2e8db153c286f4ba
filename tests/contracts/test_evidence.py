"""A failure is told with its code, a sentence, evidence for support, and a next step."""

import re

import pytest
from kiota_abstractions.api_error import APIError
from msgspec.structs import replace

from shared.adapters.graph_applications import GraphApplications
from shared.adapters.graph_client import Graph
from shared.adapters.graph_directory import GraphDirectory
from shared.adapters.graph_errors import describe
from shared.adapters.identity import own_credential
from shared.model.connection import Aspect, Status
from tests.contracts.stage import Stage, needs_human
from tests.contracts.tenancy import context
from tests.in_memory.access.world import NAME, audit, begin, told
from tests.in_memory.http.client import SIGN_IN, Client

pytestmark = pytest.mark.requirement("X-21")

UPSERT = "PATCH /applications(uniqueName='keyturn-conn')"
REQUEST_ID = re.compile(r"request-id ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")


def _request_id(message: str) -> str:
    found = REQUEST_ID.search(message)
    assert found, message
    return found.group(1)


@pytest.mark.parametrize("message", ["Property displayName is invalid.", ""])
async def test_a_refusal_keeps_graphs_request_id_wherever_it_is_told(
    stage: Stage, message: str, monkeypatch: pytest.MonkeyPatch
):
    status = 400 if message else 403
    refusal = {"status": status, "code": "Request_BadRequest", "message": message}
    await stage.fault(refusal, call=UPSERT)
    ctx = context(stage)
    await begin(ctx, "netwrix-identity-manager")
    condition = await told(ctx, Aspect.REGISTERED)
    assert condition.status == Status.FALSE and condition.reason and condition.remedy
    assert _request_id(condition.message)
    (stopped,) = await audit(ctx, "operation.stopped")
    assert stopped["reason"] == condition.reason
    assert stopped["message"] == condition.message and stopped["remedy"] == condition.remedy
    for setting, value in SIGN_IN.items():
        monkeypatch.setenv(setting, value)
    shown = (await Client(ctx).get(f"/api/connections/{NAME}")).json
    (registered,) = [c for c in shown["conditions"] if c["type"] == "Registered"]
    assert registered["message"] == condition.message


async def test_the_id_is_the_one_that_graph_has(stage: Stage):
    refusal = {"status": 403, "code": "Authorization_RequestDenied", "message": "No."}
    await stage.fault(refusal, call="DELETE /applications/{id}")
    made = await stage.registered()
    error = await needs_human(stage.applications.remove(made.object_id), "AUTOMATION_NOT_OWNER")
    (row,) = await stage.traffic("DELETE", "/applications/")
    assert row["status"] == 403
    assert _request_id(error.message) in str(row)


async def test_a_refused_sign_in_has_the_number_of_the_token_endpoint(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "not-the-secret")
    credential = own_credential(stage.settings)
    graph = Graph(stage.settings, credential)
    applications = GraphApplications(graph, 0.0)
    broken = replace(context(stage), directory=GraphDirectory(graph), applications=applications)
    await begin(broken, "netwrix-identity-manager")
    condition = await told(broken, Aspect.REGISTERED)
    assert condition.reason == "AUTOMATION_IDENTITY" and "AADSTS7000215" in condition.message
    assert condition.remedy
    await graph.close()
    await credential.close()


def test_an_answer_without_a_body_has_it_in_its_header():
    bare = APIError(response_status_code=502, response_headers={"request-id": "abc"})
    assert "(request-id abc)" in describe(bare)
