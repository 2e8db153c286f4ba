"""Profiles, health, the description of the API, and its registration."""

import json
import subprocess
import sys
from datetime import datetime, timedelta

import azure.functions as func
import jsonschema
import pytest

from functions import http_api
from functions.checkup import note
from functions.http.serving import serve
from functions.sweeps import sweep
from shared.context import Context
from shared.errors import TryLater
from shared.planning.identities import names
from shared.settings import SettingsError, load
from tests.bad_input import http_bodies, queue_messages
from tests.fakes import fake_context
from tests.in_memory.http.client import ANA, Client


@pytest.fixture
def client() -> Client:
    """An app whose identity holds all that both apps' are to hold."""
    made = Client()
    made.ctx.tenant.own_roles = frozenset({*names("front"), *names("worker")})
    return made


@pytest.mark.requirement("X-07")
async def test_profiles_tell_features_permissions_and_risk(client: Client):
    listed = (await client.get("/api/profiles")).json["profiles"]
    shown = (await client.get("/api/profiles/devolutions-server")).json
    [line] = [profile for profile in listed if profile["id"] == "devolutions-server"]
    assert line["permissions"] == shown["permissions"]
    risks = {permission["name"]: permission["risk"] for permission in shown["permissions"]}
    assert risks["RoleManagement.ReadWrite.Directory"] == "direct"
    assert risks["User-PasswordProfile.ReadWrite.All"] == "indirect"
    assert risks["User.Read.All"] == "normal"
    held = {permission["name"] for permission in shown["permissions"] if permission["approval"]}
    assert held == {"RoleManagement.ReadWrite.Directory", "User-PasswordProfile.ReadWrite.All"}
    [role] = shown["directory_roles"]
    assert (role["privileged"], role["risk"], role["approval"]) == (True, "normal", False)
    assert role["escalation_risk"] == {"Privileged Authentication Administrator": "direct"}
    [swap] = {permission["swap"] for permission in shown["permissions"]} - {""}
    assert swap == "RoleManagement.Read.Directory"
    features = {feature["name"]: feature["default"] for feature in shown["features"]}
    assert features == {"discovery": True, "password_rotation": True, "admin_targets": "auto"}
    modes = next(given for given in shown["inputs"] if given["name"] == "search_mode")
    assert modes["values"] == ["groups", "roles"]


@pytest.mark.requirement("X-07")
async def test_roles_in_azure_and_chosen_permissions_have_a_risk_too(client: Client):
    shown = (await client.get("/api/profiles/vault-azure-secrets")).json
    [role] = shown["azure_roles"]
    assert (role["name"], role["risk"]) == ("User Access Administrator", "indirect")
    chosen = (await client.get("/api/profiles/pandium")).json["permissions"]
    assert all(permission["chosen_by"] == "inputs.permissions" for permission in chosen)


@pytest.mark.requirement("D-05")
@pytest.mark.diagnosis("PROFILE_UNKNOWN")
async def test_unknown_profiles_name_the_known(client: Client):
    answer = await client.get("/api/profiles/keepass")
    assert (answer.status, answer.problems) == (404, [("profile", "PROFILE_UNKNOWN")])
    assert "devolutions-server" in answer.json["problems"][0]["hint"]


async def test_health_asks_every_dependency(client: Client):
    answer = await client.get("/api/health")
    assert answer.status == 200
    health = answer.json
    assert health["alive"]
    assert health["ok"]
    names = [dependency["name"] for dependency in health["dependencies"]]
    assert names == [
        "ledger",
        "accounts",
        "imports",
        "vault",
        "service bus",
        "graph",
        "permissions",
        "clock",
    ]


@pytest.mark.parametrize(
    ("method", "name"),
    [("ledger.connection", "ledger"), ("vault.current", "vault"), ("directory.tenant", "graph")],
)
async def test_health_tells_which_dependency_fails(client: Client, method: str, name: str):
    client.ctx.tenant.fail(method, TryLater("DOWN", "it does not answer"))
    answer = await client.get("/api/health")
    assert answer.status == 503
    states = {d["name"]: (d["status"], d["message"]) for d in answer.json["dependencies"]}
    assert states.pop(name) == ("failing", "DOWN: it does not answer")
    assert "failing" not in {status for status, _ in states.values()}


async def test_health_tells_what_the_identity_lacks_and_what_it_need_not_hold(client: Client):
    client.ctx.tenant.own_roles -= {"User.Read.All", "AuditLog.Read.All"}
    client.ctx.tenant.own_roles |= {"Mail.Read"}
    answer = await client.get("/api/health")
    (rights,) = [d for d in answer.json["dependencies"] if d["name"] == "permissions"]
    assert (answer.status, rights["status"]) == (503, "failing")
    assert "missing: User.Read.All" in rights["message"]
    assert "drift findings that name their author: AuditLog.Read.All" in rights["message"]
    assert "superfluous: Mail.Read" in rights["message"]
    assert "python -m deploy permissions" in rights["remedy"]


async def test_what_may_be_left_out_is_a_warning(client: Client):
    client.ctx.tenant.own_roles -= {"RoleManagement.ReadWrite.Directory"}
    answer = await client.get("/api/health")
    (rights,) = [d for d in answer.json["dependencies"] if d["name"] == "permissions"]
    assert (answer.status, rights["status"]) == (200, "warning")


@pytest.mark.parametrize("seconds", [200, -200])
async def test_health_tells_a_clock_that_is_wrong(
    client: Client, monkeypatch: pytest.MonkeyPatch, seconds: int
):
    async def theirs() -> datetime:
        return client.ctx.clock.now() - timedelta(seconds=seconds)

    monkeypatch.setattr(client.ctx.tokens, "authority_time", theirs)
    answer = await client.get("/api/health")
    (clock,) = [d for d in answer.json["dependencies"] if d["name"] == "clock"]
    assert clock["status"] == "failing" and "200 seconds" in clock["message"]
    assert ("ahead of" in clock["message"]) == (seconds > 0)


async def test_the_front_door_does_not_ask_the_vault_and_tells_what_the_worker_found():
    front = Client(fake_context(app="front"))
    front.ctx.tenant.own_roles = frozenset(names("front"))
    answer = await front.get("/api/health")
    assert answer.status == 200 and answer.json["app"] == "front"
    assert "vault" not in [d["name"] for d in answer.json["dependencies"]]
    assert (answer.json["worker"], answer.json["sweeps"]) == (None, {})
    worker = fake_context(tenant=front.ctx.tenant, app="worker", ledger=front.ctx.ledger)
    worker.tenant.fail("vault.current", TryLater("VAULT_FORBIDDEN", "no"))
    await note(worker)
    await sweep(worker, "rotate")
    told = (await front.get("/api/health")).json
    found = {d["name"]: d["status"] for d in told["worker"]["dependencies"]}
    assert (told["worker"]["app"], found["vault"]) == ("worker", "failing")
    assert list(told["sweeps"]) == ["rotate"]


async def test_health_does_not_repeat_what_foreign_errors_say(client: Client):
    client.ctx.tenant.fail("vault.current", ValueError("AccountKey=c2VjcmV0"))
    answer = await client.get("/api/health")
    assert b"c2VjcmV0" not in answer.content
    assert b"ValueError" in answer.content


async def without_settings() -> Context:
    load({"KEYTURN_GRAPH": "http://graph.example/c2VjcmV0", "ServiceBus": "Endpoint=c2VjcmV0"})
    raise AssertionError("these settings are complete")


@pytest.mark.parametrize("name", ["health", "list_connections"])
async def test_failing_settings_are_named_without_values(name: str):
    call = next(call for call in http_api.CALLS if call.name == name)
    request = func.HttpRequest("GET", "https://keyturn.example/api", headers=ANA, body=b"")
    answer = await serve(call, request, without_settings)
    assert answer.status_code == 503
    assert b"KEYTURN_TENANT_ID" in answer.get_body()
    assert b"KEYTURN_GRAPH" in answer.get_body()
    assert b"c2VjcmV0" not in answer.get_body()
    with pytest.raises(SettingsError):
        await without_settings()


async def test_calls_without_dependencies_work_without_settings():
    for name in ("list_profiles", "describe_api"):
        call = next(call for call in http_api.CALLS if call.name == name)
        request = func.HttpRequest("GET", "https://keyturn.example/api", headers=ANA, body=b"")
        assert (await serve(call, request, without_settings)).status_code == 200


@pytest.mark.slow
async def test_the_description_is_valid_and_complete(client: Client):
    from openapi_spec_validator import validate  # takes longer to import than all else

    described = (await client.get("/api/openapi.json")).json
    validate(described)
    assert described["openapi"].startswith("3.1")
    routes = {(f"/{call.path}", call.method.lower()) for call in http_api.CALLS}
    assert routes == {
        (path, method) for path, item in described["paths"].items() for method in item
    }


async def test_the_description_accepts_what_the_code_accepts(client: Client):
    described = (await client.get("/api/openapi.json")).json
    for schema, document in (
        ("ConnectionRequest", http_bodies.GOOD),
        ("ProvisioningMessage", queue_messages.GOOD),
        ("ProvisioningMessage", queue_messages.ROTATE),
    ):
        whole = {"$ref": f"#/components/schemas/{schema}", "components": described["components"]}
        validator = jsonschema.Draft202012Validator(whole)
        validator.validate(document)
        with pytest.raises(jsonschema.ValidationError):
            validator.validate({**document, "colour": "red"})


async def test_answers_have_the_described_form(client: Client):
    described = (await client.get("/api/openapi.json")).json
    await client.onboarded()
    shown = {
        "ConnectionView": "/api/connections/dvls-prod",
        "ConnectionList": "/api/connections",
        "Sheet": "/api/connections/dvls-prod/handover",
        "AccountPage": "/api/connections/dvls-prod/accounts",
        "DiscoveryList": "/api/connections/dvls-prod/discoveries",
        "ProfileList": "/api/profiles",
        "ProfileView": "/api/profiles/devolutions-server",
        "Health": "/api/health",
        "ProblemAnswer": "/api/connections/nobody",
    }
    for schema, url in shown.items():
        whole = {"$ref": f"#/components/schemas/{schema}", "components": described["components"]}
        jsonschema.Draft202012Validator(whole).validate((await client.get(url)).json)


def test_every_call_is_registered_once_with_a_key():
    app = func.FunctionApp()
    app.register_functions(http_api.blueprint())
    registered = {}
    for function in app.get_functions():
        trigger = json.loads(function.get_raw_bindings()[0])
        registered[function.get_function_name()] = (trigger["route"], trigger["methods"])
        assert trigger["authLevel"] == "FUNCTION"
        assert trigger["name"] == "req"
    assert registered == {call.name: (call.path, [call.method]) for call in http_api.CALLS}


@pytest.mark.slow
def test_indexing_imports_no_sdk():
    """The host imports the module before it is ready; SDKs would make every cold start slow."""
    script = (
        "import sys, functions.http_api\n"
        "heavy = ('azure.core', 'azure.identity', 'azure.servicebus', 'azure.data', 'msgraph',\n"
        "         'azure.keyvault', 'azure.storage', 'aiohttp', 'httpx', 'yaml')\n"
        "print(*(name for name in heavy if name in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""


@pytest.mark.requirement("X-12")
async def test_health_names_rotations_that_no_sweep_has_taken(client: Client):
    now = client.ctx.clock.now()
    await client.ctx.ledger.set_due("rotate", "late-one", now - timedelta(days=2))
    await client.ctx.ledger.set_due("rotate", "in-time", now - timedelta(hours=2))
    answer = await client.get("/api/health")
    assert answer.status == 200
    assert answer.json["overdue"] == ["late-one"]
    assert answer.json["expiring"] == []
    for days, name in ((9, "later"), (-1, "over"), (2, "sooner")):
        await client.ctx.ledger.set_due("expire", name, now + timedelta(days=days))
    answer = await client.get("/api/health")
    assert (answer.status, answer.json["expiring"]) == (200, ["over", "sooner", "later"])
    client.ctx.tenant.fail("ledger.due", TryLater("LEDGER_DOWN", "HTTP 503"), times=2)
    answer = await client.get("/api/health")
    assert (answer.json["overdue"], answer.json["expiring"]) == ([], [])
