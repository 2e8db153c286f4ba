"""A token with everything that the endpoint says of it."""

import time

import pytest

from shared.model.directory import GRAPH_APP_ID
from shared.model.profile import RESOURCES
from tests.contracts.stage import Stage, needs_human


@pytest.mark.requirement("A-07", "A-08")
@pytest.mark.parametrize("alias", ["microsoft-graph", "azure-devops"])
async def test_a_token_for_an_api(stage: Stage, alias: str):
    made = await stage.registered()
    secret = await stage.secret(made.object_id)
    issued = await stage.tokens.issue(made.client_id, secret, RESOURCES[alias])
    assert issued is not None
    assert (issued.token_type, issued.expires_in, issued.ext_expires_in) == ("Bearer", 3599, 3599)
    wanted = "https://graph.microsoft.com" if alias == "microsoft-graph" else RESOURCES[alias]
    assert issued.scope == f"{wanted}/.default"
    assert issued.token.reveal() not in repr(issued)
    assert issued.token.digest not in issued.token.reveal()


async def test_a_secret_that_is_not_known_yet(stage: Stage):
    made = await stage.registered()
    secret = await stage.secret(made.object_id)
    await stage.credentials.remove(made.object_id, secret.key_id)
    began = time.monotonic()
    assert await stage.tokens.issue(made.client_id, secret, GRAPH_APP_ID) is None
    assert time.monotonic() - began < 30


@pytest.mark.requirement("A-07")
@pytest.mark.diagnosis("SCOPE_UNKNOWN")
async def test_an_api_that_the_tenant_has_not(stage: Stage):
    made = await stage.registered()
    secret = await stage.secret(made.object_id)
    unknown = "0dd0dd0d-0000-4000-8000-000000000001"
    refused = await needs_human(
        stage.tokens.issue(made.client_id, secret, unknown), "SCOPE_UNKNOWN"
    )
    assert unknown in refused.message
