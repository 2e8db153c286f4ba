"""`ports.Tokens` with a certificate: an assertion that the token endpoint checks in every part."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from shared.adapters.certificates import assertion, make
from shared.model.credential import NewSecret
from shared.model.directory import GRAPH_APP_ID
from shared.model.shape import Shape
from tests.contracts.stage import Registered, Stage, ends, needs_human, try_later

TOKEN = "POST /token"


@pytest.fixture
async def made(stage: Stage) -> Registered:
    return await stage.registered()


@pytest.fixture(params=[Shape.PEM, Shape.PFX])
async def ours(stage: Stage, made: Registered, request: pytest.FixtureRequest) -> NewSecret:
    return await stage.certificate(made.object_id, shape=request.param)


async def test_a_token_says_who(stage: Stage, made: Registered, ours: NewSecret):
    api, permission = await stage.permission("User.Read.All")
    await stage.consents.grant(made.principal_id, api, permission)
    token = await stage.tokens.obtain(made.client_id, ours)
    assert token is not None
    assert (token.app_id, token.roles) == (made.client_id, {"User.Read.All"})
    read = await stage.tokens.read_as(made.client_id, ours, "User.Read.All")
    assert read is not None and read.allowed
    issued = await stage.tokens.issue(made.client_id, ours, GRAPH_APP_ID)
    assert issued is not None and issued.expires_in == 3599


async def test_every_attempt_is_a_new_one(stage: Stage, made: Registered, ours: NewSecret):
    before = await asked(stage)
    for _ in range(2):
        assert await stage.tokens.obtain(made.client_id, ours) is not None
    assert await asked(stage) - before == 2


async def asked(stage: Stage) -> int:
    """How often anybody has asked for a token."""
    answer = await stage.admin.get(f"{stage.running.admin}/traffic?count=1")
    return int(answer.json()["token"])


async def test_one_that_is_not_known_everywhere(stage: Stage, made: Registered):
    await stage.control("lag", seconds=0, token_seconds=20)
    ours = await stage.certificate(made.object_id)
    assert await stage.tokens.obtain(made.client_id, ours) is None
    assert await stage.tokens.issue(made.client_id, ours, GRAPH_APP_ID) is None
    await stage.control("clock", advance_seconds=21)
    assert await stage.tokens.obtain(made.client_id, ours) is not None


async def test_one_that_was_removed(stage: Stage, made: Registered, ours: NewSecret):
    await stage.credentials.remove(made.object_id, ours.key_id)
    assert await stage.tokens.obtain(made.client_id, ours) is None


async def test_one_that_has_expired(stage: Stage, made: Registered, ours: NewSecret):
    await stage.control("clock", advance_seconds=91 * 86400)
    error = await needs_human(stage.tokens.obtain(made.client_id, ours), "SECRET_EXPIRED")
    assert "AADSTS700027" in error.message
    call = stage.tokens.issue(made.client_id, ours, GRAPH_APP_ID)
    await needs_human(call, "TOKEN_REFUSED")


@pytest.mark.parametrize("shape", [Shape.PEM, Shape.PFX])
async def test_what_is_no_certificate(stage: Stage, made: Registered, shape: Shape):
    wrong = NewSecret(key_id="k", ends=ends(), hint="", value="not a certificate", shape=shape)
    for call in (
        stage.tokens.obtain(made.client_id, wrong),
        stage.tokens.issue(made.client_id, wrong, GRAPH_APP_ID),
    ):
        error = await needs_human(call, "SECRET_ID_NOT_VALUE")
        assert "not a certificate" not in error.message


@pytest.mark.parametrize("fault", [{"fault": "F13", "status": 503}, {"fault": "drop"}])
async def test_for_now(stage: Stage, made: Registered, ours: NewSecret, fault):
    await stage.control("faults", call=TOKEN, object=made.client_id, **fault)
    await try_later(stage.tokens.obtain(made.client_id, ours), "TOKEN_UNREACHABLE")


async def ask(stage: Stage, client_id: str, signed: str) -> dict[str, Any]:
    """The token endpoint's refusal."""
    url = f"{stage.running.authority}/{stage.running.tenant_id}/oauth2/v2.0/token"
    form = {
        "grant_type": "client_credentials",
        "client_id": client_id,
        "scope": "https://graph.microsoft.com/.default",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": signed,
    }
    answer: httpx.Response = await stage.admin.post(url, data=form)
    assert answer.status_code == 401, answer.text
    body: dict[str, Any] = answer.json()
    assert body["error"] == "invalid_client"
    return body


class TestTheEndpoint:
    """Refusals as Entra words them."""

    @pytest.fixture
    async def ours(self, stage: Stage, made: Registered) -> NewSecret:
        return await stage.certificate(made.object_id)

    def audience(self, stage: Stage) -> str:
        return f"{stage.running.authority}/{stage.running.tenant_id}/oauth2/v2.0/token"

    async def test_another_certificate(self, stage: Stage, made: Registered):
        now = datetime.now(UTC)
        other = make("other", now, now + timedelta(days=1), Shape.PEM)
        wrong = NewSecret(key_id="k", ends=now, hint="", value=other.value, shape=Shape.PEM)
        signed = assertion(wrong, made.client_id, self.audience(stage), now)
        told = (await ask(stage, made.client_id, signed))["error_description"]
        assert told.startswith("AADSTS700027: The certificate with identifier used to sign")
        assert "is not registered on application. [Reason - The key was not found." in told
        assert made.client_id in told

    async def test_another_key_under_the_name_of_ours(self, stage: Stage, made, ours):
        signed = assertion(ours, made.client_id, self.audience(stage), datetime.now(UTC))
        head, signature = signed.rsplit(".", 1)
        forged = f"{head}.{signature[40:80]}{signature[:40]}{signature[80:]}"
        told = (await ask(stage, made.client_id, forged))["error_description"]
        assert told.startswith("AADSTS700027: Client assertion contains an invalid signature.")

    async def test_for_another_application(self, stage: Stage, made, ours):
        signed = assertion(ours, GRAPH_APP_ID, self.audience(stage), datetime.now(UTC))
        assert (await ask(stage, made.client_id, signed))["error_codes"] == [700021]

    async def test_for_another_tenant(self, stage: Stage, made, ours):
        elsewhere = self.audience(stage).replace(stage.running.tenant_id, GRAPH_APP_ID)
        signed = assertion(ours, made.client_id, elsewhere, datetime.now(UTC))
        assert (await ask(stage, made.client_id, signed))["error_codes"] == [700023]

    @pytest.mark.parametrize("hours", [-1, 1])
    async def test_at_another_time(self, stage: Stage, made, ours, hours):
        then = datetime.now(UTC) + timedelta(hours=hours)
        signed = assertion(ours, made.client_id, self.audience(stage), then)
        body = await ask(stage, made.client_id, signed)
        assert body["error_codes"] == [700024]
        assert "is not within its valid time range. Current time: " in body["error_description"]
