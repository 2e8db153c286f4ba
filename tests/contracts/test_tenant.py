"""The bundle acts in its own tenant only, and products sign in as applications only."""

import pytest

from shared.adapters.graph_client import Graph
from shared.adapters.graph_directory import GraphDirectory
from shared.errors import NeedsHuman
from tests.contracts.stage import Stage, settings_of

ELSEWHERE = "2f1c8e0a-52b7-4f0e-9d51-6f2f0a7b9c3d"


@pytest.mark.requirement("D-01")
async def test_the_configured_tenant_may_be_an_id_or_a_domain(stage: Stage):
    domain = (await stage.directory.tenant()).initial_domain
    for name in (stage.running.tenant_id.upper(), domain):
        graph = Graph(settings_of(stage.running, tenant_id=name), stage.credential)
        try:
            assert (await GraphDirectory(graph).tenant()).id == stage.running.tenant_id
        finally:
            await graph.close()


@pytest.mark.requirement("D-01")
@pytest.mark.diagnosis("TENANT_MISMATCH")
async def test_another_tenant_than_the_configured_one_is_refused(stage: Stage):
    graph = Graph(settings_of(stage.running, tenant_id=ELSEWHERE), stage.credential)
    try:
        with pytest.raises(NeedsHuman) as refusal:
            await GraphDirectory(graph).tenant()
    finally:
        await graph.close()
    assert refusal.value.code == "TENANT_MISMATCH"
    assert stage.running.tenant_id in refusal.value.message
    assert ELSEWHERE in refusal.value.message
    assert "KEYTURN_TENANT_ID" in refusal.value.remedy


@pytest.mark.requirement("M-11")
async def test_tokens_are_asked_for_as_the_application_alone(stage: Stage):
    """The token endpoint knows no sign-in with a password, and needs none."""
    made = await stage.registered()
    secret = await stage.secret(made.object_id)
    form = {"grant_type": "password", "client_id": made.client_id, "scope": "openid"}
    url = f"{stage.running.authority}/{stage.running.tenant_id}/oauth2/v2.0/token"
    refused = await stage.admin.post(url, data={**form, "client_secret": secret.reveal()})
    assert refused.json()["error"] == "unsupported_grant_type"
    token = await stage.tokens.obtain(made.client_id, secret)
    assert token is not None
    assert token.app_id == made.client_id
