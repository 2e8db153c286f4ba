"""`ports.Tokens`: the token endpoint and Graph, seen as the connected product sees them."""

import json
import re
from pathlib import Path

import pytest

from shared.adapters.token_reads import READS
from shared.model.credential import NewSecret
from shared.model.profile import RESOURCES
from tests.contracts.stage import Registered, Stage, ends, needs_human, settings_of, try_later

TOKEN = "POST /token"
PERMISSIONS = json.loads(Path("emulators/graph/data/permissions.json").read_text())["permissions"]
OFFERED = {row["name"] for row in PERMISSIONS if row["kind"] == "application"}
READABLE = sorted(READS.keys() & OFFERED)
CHECKS = sorted(name for name in READS if name.startswith("list_"))
DEVOPS, MANAGEMENT = RESOURCES["azure-devops"], RESOURCES["o365-management"]


@pytest.fixture
async def made(stage: Stage) -> Registered:
    return await stage.registered()


@pytest.fixture
async def secret(stage: Stage, made: Registered) -> NewSecret:
    return await stage.secret(made.object_id)


async def grant(stage: Stage, made: Registered, *names: str) -> None:
    for name in names:
        api, permission = await stage.permission(name)
        await stage.consents.grant(made.principal_id, api, permission)


class TestObtaining:
    async def test_a_token_says_who_and_what(self, stage: Stage, made, secret):
        await grant(stage, made, "User.Read.All")
        token = await stage.tokens.obtain(made.client_id, secret)
        assert token is not None
        assert token.app_id == made.client_id
        assert token.tenant_id == stage.running.tenant_id
        assert token.roles == {"User.Read.All"}

    async def test_without_any_permission(self, stage: Stage, made, secret):
        token = await stage.tokens.obtain(made.client_id, secret)
        assert token is not None
        assert token.roles == frozenset()

    async def test_every_attempt_asks_anew(self, stage: Stage, made, secret):
        """A cached token would prove nothing, and would not carry what was granted since."""
        tokens = stage.tokens
        first = await tokens.obtain(made.client_id, secret)
        await grant(stage, made, "User.Read.All")
        second = await tokens.obtain(made.client_id, secret)
        assert (first.roles, second.roles) == (frozenset(), {"User.Read.All"})

    async def test_a_token_from_before_the_consent(self, stage: Stage, made, secret):
        await grant(stage, made, "User.Read.All")
        await stage.fault("F11", times=1)
        assert (await stage.tokens.obtain(made.client_id, secret)).roles == frozenset()
        assert (await stage.tokens.obtain(made.client_id, secret)).roles == {"User.Read.All"}


class TestOtherApis:
    """A token carries the roles of one API only."""

    async def test_each_token_carries_the_roles_of_its_api(self, stage: Stage, made, secret):
        await grant(stage, made, "User.Read.All")
        api = await stage.directory.resource(MANAGEMENT)
        assert api is not None
        feed = next(p for p in api.permissions if p.name == "ActivityFeed.Read")
        await stage.consents.grant(made.principal_id, api.principal_id, feed.key.id)
        graph = await stage.tokens.obtain(made.client_id, secret)
        management = await stage.tokens.obtain(made.client_id, secret, MANAGEMENT)
        assert graph is not None and management is not None
        assert graph.roles == {"User.Read.All"}
        assert management.roles == {"ActivityFeed.Read"}

    @pytest.mark.requirement("A-13")
    async def test_azure_devops_knows_no_roles(self, stage: Stage, made, secret):
        token = await stage.tokens.obtain(made.client_id, secret, DEVOPS)
        assert token is not None
        assert token.roles == frozenset()
        assert token.app_id == made.client_id

    @pytest.mark.requirement("A-07")
    @pytest.mark.parametrize("alias", ["azure-storage", "azure-sql", "business-central"])
    async def test_every_scope_gets_a_token(self, stage: Stage, made, secret, alias):
        assert await stage.tokens.obtain(made.client_id, secret, RESOURCES[alias]) is not None

    async def test_an_api_that_the_tenant_does_not_have(self, stage: Stage, made, secret):
        unknown = "0f8fad5b-d9cb-469f-a165-70867728950e"
        call = stage.tokens.obtain(made.client_id, secret, unknown)
        error = await needs_human(call, "RESOURCE_MISSING")
        assert "AADSTS500011" in error.message


class TestNotYet:
    @pytest.mark.parametrize("fault", ["F8", "F9"])
    async def test_not_known_everywhere_and_not_in_order(self, stage: Stage, made, secret, fault):
        await stage.control(
            "faults", call=TOKEN, fault=fault, pattern=[0, 1, 0], object=made.client_id
        )
        found = [await stage.tokens.obtain(made.client_id, secret) for _ in range(3)]
        assert [token is not None for token in found] == [True, False, True]

    async def test_really_behind(self, stage: Stage, made):
        await stage.control("lag", seconds=0, token_seconds=20)
        secret = await stage.secret(made.object_id)
        assert await stage.tokens.obtain(made.client_id, secret) is None
        await stage.control("clock", advance_seconds=21)
        assert await stage.tokens.obtain(made.client_id, secret) is not None

    async def test_a_removed_secret(self, stage: Stage, made, secret):
        await stage.credentials.remove(made.object_id, secret.key_id)
        assert await stage.tokens.obtain(made.client_id, secret) is None


class TestRefused:
    @pytest.mark.parametrize(
        ("fault", "number", "code"),
        [
            ({"fault": "F17"}, "AADSTS7000222", "SECRET_EXPIRED"),
            ({"fault": "F17", "code": 500011}, "AADSTS500011", "RESOURCE_MISSING"),
            (
                {"fault": {"status": 400, "error": "unauthorized_client", "code": "7000112"}},
                "AADSTS7000112",
                "SP_DISABLED",
            ),
            (
                {"fault": {"status": 400, "error": "invalid_grant", "code": "53003"}},
                "AADSTS53003",
                "CA_BLOCKS_LOGIN",
            ),
            (
                {"fault": {"status": 400, "error": "invalid_client", "code": "7000218"}},
                "AADSTS7000218",
                "TOKEN_REFUSED",
            ),
        ],
    )
    async def test_for_good(self, stage: Stage, made, secret, fault, number, code):
        await stage.control("faults", call=TOKEN, object=made.client_id, **fault)
        error = await needs_human(stage.tokens.obtain(made.client_id, secret), code)
        assert number in error.message
        assert made.client_id in error.message
        assert secret.reveal() not in error.message

    @pytest.mark.diagnosis("SECRET_EXPIRED")
    async def test_an_expired_secret(self, stage: Stage, made):
        secret = await stage.credentials.add(made.object_id, "managed:p/op", ends(1))
        await stage.control("clock", advance_seconds=2 * 86400)
        error = await needs_human(stage.tokens.obtain(made.client_id, secret), "SECRET_EXPIRED")
        assert "AADSTS7000222" in error.message

    async def test_the_id_in_place_of_the_value(self, stage: Stage, made, secret):
        wrong = NewSecret(key_id="k", ends=secret.ends, hint="", value=secret.key_id)
        assert await stage.tokens.obtain(made.client_id, wrong) is None

    @pytest.mark.parametrize(
        "fault",
        [
            {"fault": "F13", "status": 429},
            {"fault": "F13", "status": 503},
            {"fault": {"status": 500, "code": "90033"}},
            {"fault": "drop"},
            {"fault": "lost"},
        ],
    )
    async def test_for_now(self, stage: Stage, made, secret, fault):
        await stage.control("faults", call=TOKEN, object=made.client_id, **fault)
        error = await try_later(stage.tokens.obtain(made.client_id, secret), "TOKEN_UNREACHABLE")
        assert secret.reveal() not in error.message

    async def test_nobody_listens(self, stage: Stage, made, secret):
        from shared.adapters.tokens import EntraTokens

        nowhere = EntraTokens(settings_of(stage.running, authority="https://127.0.0.1:1"))
        await try_later(nowhere.obtain(made.client_id, secret), "TOKEN_UNREACHABLE")


class TestReading:
    async def test_the_sdk_has_a_builder_for_every_path(self, stage: Stage):
        """The SDK is generated from the schema of v1.0: what it cannot build is not in it."""
        for path in set(READS.values()):
            builder = stage.graph.client
            for part in path.partition("?")[0].strip("/").split("/"):
                if part == "root":
                    builder = builder.by_site_id("root")
                else:
                    builder = getattr(builder, re.sub("([A-Z])", r"_\1", part).lower())
            assert builder.to_get_request_information().url_template, path

    @pytest.mark.parametrize("check", CHECKS)
    async def test_checks(self, stage: Stage, made, secret, check):
        refused = await stage.tokens.read_as(made.client_id, secret, check)
        await grant(stage, made, "Directory.Read.All")
        allowed = await stage.tokens.read_as(made.client_id, secret, check)
        assert refused is not None and not refused.allowed
        assert allowed is not None and allowed.allowed

    @pytest.mark.parametrize(
        "fault",
        [
            {"status": 400, "message": "Tenant does not have a SPO license."},
            {"status": 404, "message": "not found"},
            {"status": 403, "code": "Authentication_RequestFromNonPremiumTenantOrB2CTenant"},
        ],
    )
    async def test_what_the_tenant_does_not_have_proves_nothing(
        self, stage: Stage, made, secret, fault
    ):
        await grant(stage, made, "Sites.Read.All")
        await stage.fault(fault, call="GET /sites/root")
        assert await stage.tokens.read_as(made.client_id, secret, "Sites.Read.All") is None

    async def test_an_empty_refusal(self, stage: Stage, made, secret):
        await grant(stage, made, "User.Read.All")
        await stage.fault({"status": 403, "message": ""}, call="GET /users")
        found = await stage.tokens.read_as(made.client_id, secret, "User.Read.All")
        assert found is not None
        assert found.said == "HTTP 403 Authorization_RequestDenied"
        assert found.roles == {"User.Read.All"}

    @pytest.mark.parametrize("permission", READABLE)
    async def test_allowed(self, stage: Stage, made, secret, permission):
        await grant(stage, made, permission)
        found = await stage.tokens.read_as(made.client_id, secret, permission)
        assert found is not None and found.allowed
        assert found.roles == {permission}

    @pytest.mark.parametrize("permission", READABLE)
    async def test_refused(self, stage: Stage, made, secret, permission):
        found = await stage.tokens.read_as(made.client_id, secret, permission)
        assert found is not None and not found.allowed
        assert found.roles == frozenset()
        assert found.said.startswith("HTTP 403 Authorization_RequestDenied: ")

    async def test_no_harmless_read(self, stage: Stage, made, secret):
        before = await stage.traffic("GET", "")
        found = await stage.tokens.read_as(
            made.client_id, secret, "User-PasswordProfile.ReadWrite.All"
        )
        assert found is None
        assert await stage.traffic("GET", "") == before

    @pytest.mark.parametrize("status", [429, 500, 503])
    async def test_graph_is_unwell(self, stage: Stage, made, secret, status):
        await grant(stage, made, "User.Read.All")
        await stage.fault("F13", call="GET /users", status=status)
        call = stage.tokens.read_as(made.client_id, secret, "User.Read.All")
        error = await try_later(call, "GRAPH_UNAVAILABLE")
        assert "User.Read.All" in error.message

    async def test_the_connection_is_cut(self, stage: Stage, made, secret):
        await grant(stage, made, "User.Read.All")
        await stage.fault("drop", call="GET /users")
        call = stage.tokens.read_as(made.client_id, secret, "User.Read.All")
        await try_later(call, "GRAPH_UNREACHABLE")
