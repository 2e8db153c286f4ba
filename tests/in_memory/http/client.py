"""Calls the API's handlers as the host does, by method and path, with ports in memory."""

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import azure.functions as func

from functions.http.serving import serve
from functions.http_api import CALLS
from shared.model.connection import Credential, Facts, Operation
from shared.operations import finish
from tests.bad_input.http_bodies import GOOD
from tests.bad_input.wanted import encoded
from tests.fakes import FakeContext, fake_context

JSON = {"content-type": "application/json; charset=utf-8"}

OBJECT_ID = "http://schemas.microsoft.com/identity/claims/objectidentifier"


API, TENANT = "a91c0000-0000-4000-8000-00000000aa01", "7e4a0000-0000-4000-8000-00000000aa02"

SIGN_IN = {
    "KEYTURN_PLATFORM_AUTH": "entra",
    "KEYTURN_API_CLIENT_ID": API,
    "KEYTURN_TENANT_ID": TENANT,
}
"""Settings of an application with App Service Authentication in front."""

TOKEN = (
    {"typ": "aud", "val": API},
    {"typ": "iss", "val": f"https://login.microsoftonline.com/{TENANT}/v2.0"},
    {"typ": "http://schemas.microsoft.com/identity/claims/tenantid", "val": TENANT},
    {"typ": "exp", "val": "4102444800"},
)
"""What the platform tells of any good token."""


def principal(name: str, *roles: str, **changes: Any) -> dict[str, str]:
    """The headers that App Service Authentication sets for a signed-in person."""
    claims = [
        *TOKEN,
        {"typ": OBJECT_ID, "val": f"id-of-{name}"},
        {"typ": "preferred_username", "val": name},
        *({"typ": "roles", "val": f"Keyturn.{role}"} for role in roles),
    ]
    document = {
        "auth_typ": "aad",
        "claims": claims,
        "name_typ": "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
        "role_typ": "http://schemas.microsoft.com/ws/2008/06/identity/claims/role",
        **changes,
    }
    return {"x-ms-client-principal": base64.b64encode(json.dumps(document).encode()).decode()}


ANA = principal("ana@contoso.com", "Operator")
EVE = principal("eve@contoso.com", "Approver")

FACTS = Facts(
    object_id="0b1ec7aa-0000-4000-8000-000000000001",
    client_id="c11e47aa-0000-4000-8000-000000000001",
    principal_id="5e4b1ceb-0000-4000-8000-000000000001",
)


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    type: str
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content)

    @property
    def problems(self) -> list[tuple[str, str]]:
        """Field and code of each problem."""
        assert self.type == "application/problem+json"
        body = self.json
        assert body["status"] == self.status
        assert body["type"].startswith("urn:keyturn:problem:")
        assert all(body[member] for member in ("title", "detail"))
        # Whatever fails says what it is, in words, and what to do.
        assert all(p["code"] and p["message"] and p["hint"] for p in body["problems"])
        return [(problem["field"], problem["code"]) for problem in body["problems"]]


@dataclass
class Client:
    """A caller of the API."""

    ctx: FakeContext = field(default_factory=fake_context)
    caller: dict[str, str] = field(default_factory=lambda: ANA)

    def acting(self, caller: Mapping[str, str]) -> "Client":
        """Somebody else in the same world."""
        return Client(self.ctx, dict(caller))

    async def get(self, url: str, **headers: str) -> Answer:
        return await self.send("GET", url, b"", headers)

    async def post(
        self, url: str, body: Any = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        content = body if isinstance(body, bytes) else encoded(body)
        return await self.send("POST", url, content, JSON if headers is None else headers)

    async def patch(self, url: str, body: Any, headers: Mapping[str, str] | None = None) -> Answer:
        content = body if isinstance(body, bytes) else encoded(body)
        return await self.send("PATCH", url, content, {**JSON, **(headers or {})})

    async def delete(self, url: str) -> Answer:
        return await self.send("DELETE", url, b"", {})

    async def send(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        path, _, query = url.removeprefix("/api/").partition("?")
        params = dict(pair.split("=", 1) for pair in query.split("&") if pair)
        for call in CALLS:
            pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", call.path)
            match = re.fullmatch(pattern, path)
            if match and call.method == method:
                request = func.HttpRequest(
                    method,
                    f"https://keyturn.example/api/{path}",
                    headers={
                        **self.caller,
                        **{name.replace("_", "-"): value for name, value in headers.items()},
                    },
                    params=params,
                    route_params=match.groupdict(),
                    body=body,
                )
                return _answer(await serve(call, request, self._connect))
        raise LookupError(f"no call {method} {path}")

    async def onboarded(self, name: str = "dvls-prod") -> Operation:
        """Onboard a connection and let it succeed, without running its steps."""
        made = await self.post("/api/connections", {**GOOD, "name": name})
        assert made.status == 202
        operation = await self.operation(made.json["operation"], name)
        now = self.ctx.clock.now()
        await self.ctx.ledger.amend(name, facts=FACTS)
        credential = Credential(
            key_id="key-1",
            expires=now + timedelta(days=180),
            published=now,
            due=now + timedelta(days=150),
            vault_name=name,
            vault_version="version-1",
        )
        await self.ctx.ledger.amend(name, credential=credential)
        await finish(self.ctx, operation, "succeeded", {})
        return operation

    async def operation(self, id_: str, name: str = "dvls-prod") -> Operation:
        found = await self.ctx.ledger.operation(name, id_)
        assert found is not None
        return found

    async def stop(self, id_: str, name: str = "dvls-prod") -> None:
        """End an operation as one that needs attention."""
        await finish(self.ctx, await self.operation(id_, name), "needs-attention", {})

    async def _connect(self) -> FakeContext:
        return self.ctx


def _answer(response: func.HttpResponse) -> Answer:
    return Answer(
        status=response.status_code,
        headers=response.headers,
        type=str(response.mimetype),
        content=response.get_body(),
    )
