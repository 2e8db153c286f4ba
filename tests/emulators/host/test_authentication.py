"""App Service Authentication in front of the functions: tokens in, the platform's headers out."""

import base64
import json
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import azure.functions as func
import httpx
import jwt
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric import rsa

from emulators.callers import Bearer
from emulators.clock import Clock
from emulators.graph.server import Running, serving
from emulators.host import app_index, host_json
from emulators.host.authentication import Authentication
from emulators.host.host import App, Host
from emulators.host.invoke import Converters
from emulators.host.settings import Settings

KEY = "the-function-key"
MASTER = "the-master-key"


def sample() -> func.FunctionApp:
    app = func.FunctionApp()

    @app.route(route="who", auth_level=func.AuthLevel.FUNCTION)
    async def who(req: func.HttpRequest) -> func.HttpResponse:
        return func.HttpResponse(json.dumps(dict(req.headers)), mimetype="application/json")

    return app


@dataclass
class Door:
    """A host that authenticates, and the tenant that it trusts."""

    url: str
    graph: Running
    clock: Clock
    http: httpx.AsyncClient

    def state(self) -> dict[str, Any]:
        return self.graph.ready()

    async def token(self, caller: str, scope: str = "") -> str:
        ready = self.state()
        form = {
            "grant_type": "client_credentials",
            "scope": scope or f"api://{ready['api_audience']}/.default",
            **ready["callers"][caller],
        }
        url = f"{ready['authority']}/{ready['tenant_id']}/oauth2/v2.0/token"
        answer = await self.http.post(url, data=form)
        return str(answer.json()["access_token"])

    async def ask(self, token: str | None, key: str = KEY, **headers: str) -> httpx.Response:
        sent = {"x-functions-key": key, **headers}
        if token is not None:
            sent["authorization"] = f"Bearer {token}"
        return await self.http.get(f"{self.url}/api/who", headers=sent)


@pytest_asyncio.fixture
async def door(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Door]:
    clock = Clock()
    async with serving(users=5, clock=clock) as graph:
        monkeypatch.setenv("SSL_CERT_FILE", graph.ca_file)
        audience = graph.ready()["api_audience"]
        host = Host(
            App(app_index.index_app(sample()), host_json.parse({"version": "2.0"})),
            Settings({"FUNCTIONS_HOST_FUNCTION_KEY": KEY, "FUNCTIONS_HOST_MASTER_KEY": MASTER}),
            Converters(),
            authentication=Authentication(
                f"{graph.authority}/{graph.tenant_id}", [audience, f"api://{audience}"], clock
            ),
        )
        trust = ssl.create_default_context(cafile=graph.ca_file)
        async with host.running(), httpx.AsyncClient(verify=trust, trust_env=False) as http:
            yield Door(host.url, graph, clock, http)


def principal(answer: httpx.Response) -> dict[str, Any]:
    header = answer.json()["x-ms-client-principal"]
    decoded: dict[str, Any] = json.loads(base64.b64decode(header))
    return decoded


@pytest.mark.parametrize("caller", ["reader", "operator", "approver"])
async def test_the_function_is_told_who_calls_and_with_which_role(door: Door, caller: str) -> None:
    answer = await door.ask(await door.token(caller))
    assert answer.status_code == 200
    told = principal(answer)
    assert told["auth_typ"] == "aad"
    claims = [(claim["typ"], claim["val"]) for claim in told["claims"]]
    assert [v for t, v in claims if t == "roles"] == [f"Keyturn.{caller.title()}"]
    object_id = next(v for t, v in claims if t.endswith("/objectidentifier"))
    assert answer.json()["x-ms-client-principal-id"] == object_id
    assert answer.json()["x-ms-client-principal-idp"] == "aad"
    assert "x-ms-client-principal-name" not in answer.json()  # an application has none


async def test_the_api_may_be_named_by_its_client_id_too(door: Door) -> None:
    audience = door.state()["api_audience"]
    answer = await door.ask(await door.token("operator", f"{audience}/.default"))
    assert answer.status_code == 200


async def test_what_callers_send_under_the_platforms_names_is_dropped(door: Door) -> None:
    forged = {
        "x-ms-client-principal": base64.b64encode(b'{"auth_typ":"aad"}').decode(),
        "X-MS-CLIENT-PRINCIPAL-NAME": "root@contoso.com",
    }
    answer = await door.ask(await door.token("reader"), **forged)
    assert "root@contoso.com" not in answer.text
    assert principal(answer)["claims"]


async def test_the_function_key_still_counts(door: Door) -> None:
    assert (await door.ask(await door.token("operator"), key="wrong")).status_code == 401


async def test_the_hosts_own_administration_asks_for_no_token(door: Door) -> None:
    headers = {"x-functions-key": MASTER}
    answer = await door.http.get(f"{door.url}/admin/host/status", headers=headers)
    assert answer.status_code == 200


async def test_without_a_token_it_is_401_with_where_to_get_one(door: Door) -> None:
    answer = await door.ask(None)
    assert answer.status_code == 401
    challenge = answer.headers["www-authenticate"]
    assert challenge.startswith("Bearer ")
    assert door.state()["api_audience"] in challenge and door.state()["tenant_id"] in challenge


def forged(door: Door, **claims: Any) -> str:
    """Signed with a key of our own."""
    key = rsa.generate_private_key(65537, 2048)
    now = int(door.clock.time())
    standard = {"aud": door.state()["api_audience"], "iss": "x", "nbf": now, "exp": now + 99}
    return jwt.encode(standard | claims, key, algorithm="RS256", headers={"kid": "mine"})


async def test_bad_tokens_are_401(door: Door) -> None:
    good = await door.token("operator")
    head, body, signature = good.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    raised = base64.urlsafe_b64encode(
        json.dumps({**claims, "roles": ["Keyturn.Approver"]}).encode()
    )
    bad = {
        "for Graph": await door.token("operator", "https://graph.microsoft.com/.default"),
        "of another key": forged(door, iss=claims["iss"]),
        "with other claims": f"{head}.{raised.decode().rstrip('=')}.{signature}",
        "unsigned": jwt.encode(claims, None, algorithm="none"),
        "no token": "e30",
        "empty": ".",
    }
    for name, token in bad.items():
        assert (await door.ask(token)).status_code == 401, name
    assert (await door.ask(good)).status_code == 200


async def test_a_token_ends_and_a_client_gets_another(door: Door) -> None:
    old = await door.token("operator")
    bearer = Bearer({**door.state(), "functions": door.url}, "operator")
    headers = {"x-functions-key": KEY}
    first = await door.http.get(f"{door.url}/api/who", headers=headers, auth=bearer)
    assert first.status_code == 200
    door.clock.advance(timedelta(hours=2))
    assert (await door.ask(old)).status_code == 401
    again = await door.http.get(f"{door.url}/api/who", headers=headers, auth=bearer)
    assert again.status_code == 200
