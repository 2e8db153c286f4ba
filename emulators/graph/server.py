"""The HTTPS server: Graph, the token endpoint and the admin interface on one port."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

import emulators.graph.calls  # noqa: F401  # registers every route
from emulators.clock import Clock
from emulators.graph import faults as fault_injection
from emulators.graph.admin import Admin
from emulators.graph.errors import GraphError
from emulators.graph.faults import Faults
from emulators.graph.gateway import Dropped, Gateway, Incoming
from emulators.graph.routing import Answer, Caller
from emulators.graph.seed import Seeded, seed_tenant
from emulators.graph.spacing import Spacing
from emulators.graph.state import Tenant
from emulators.graph.sts_errors import TokenError, unknown_tenant
from emulators.graph.throttling import Throttle
from emulators.graph.token_endpoint import TokenEndpoint
from emulators.graph.tokens import TokenIssuer
from emulators.graph.traffic import Traffic
from emulators.tls import server_context


@dataclass(frozen=True)
class Automation:
    """The application that holds just the permissions of an onboarding automation."""

    client_id: str
    client_secret: str
    object_id: str


class GraphServer:
    """Everything that answers requests."""

    def __init__(self, clock: Clock, seed: int, users: int, traffic: Path | None) -> None:
        self.clock = clock
        self.tenant = Tenant(clock, seed, users)
        self.seeded: Seeded = seed_tenant(self.tenant)
        self.issuer = TokenIssuer(self.tenant.id, clock)
        self.tokens = TokenEndpoint(self.tenant, self.issuer)
        self.faults = Faults(clock, self.tenant.ids)
        self.throttle = Throttle(clock, users)
        self.spacing = Spacing(clock)
        self.gateway = Gateway(self.tenant, self.issuer, self.faults, self.throttle, self.spacing)
        self.traffic = Traffic(traffic)
        self.authority = ""

    def application(self) -> web.Application:
        app = web.Application(client_max_size=8 * 2**20)
        app.add_routes(
            [
                web.route("*", "/v1.0/{path:.*}", self._graph),
                web.post("/{tenant}/oauth2/v2.0/token", self._token),
                web.get("/{tenant}/v2.0/.well-known/openid-configuration", self._metadata),
                web.get("/{tenant}/discovery/v2.0/keys", self._keys),
            ]
        )
        Admin(self).add_to(app)
        return app

    async def _graph(self, request: web.Request) -> web.Response:
        text = (await request.read()).decode()
        incoming = Incoming(
            method=request.method,
            path=request.rel_url.raw_path.removeprefix("/v1.0"),
            query=dict(parse_qsl(request.rel_url.raw_query_string, keep_blank_values=True)),
            headers={name.lower(): value for name, value in request.headers.items()},
            text=text,
            base=f"{self.authority}/v1.0",
        )
        caller: Caller | GraphError
        try:
            caller = self.gateway.caller(incoming)
        except GraphError as refusal:
            caller = refusal
        try:
            answer = await self.gateway.answer(incoming, caller)
        except Dropped:
            answer = Answer(0)
        roles = sorted(caller.roles) if isinstance(caller, Caller) else []
        self._record(request, incoming, answer, roles)
        if answer.status == 0:
            return _cut(request)
        body = None if answer.body is None else _text(answer.body).encode()
        return web.Response(status=answer.status, headers=answer.headers, body=body)

    def _record(
        self, request: web.Request, incoming: Incoming, answer: Answer, roles: list[str]
    ) -> None:
        if answer.status == 0:  # nothing was answered, so there is no pair
            self.traffic.graph += 1
            return
        headers = {k: v for k, v in incoming.headers.items() if k != "authorization"}
        self.traffic.record(
            {
                "method": incoming.method,
                "url": f"{self.authority}{request.rel_url.raw_path_qs}",
                "request_headers": headers,
                "request_body": incoming.text or None,
                "status": answer.status,
                "response_headers": answer.headers,
                "response_body": answer.body,
                "app_roles": roles,
            }
        )

    async def _token(self, request: web.Request) -> web.Response:
        self.traffic.token += 1
        if self.gateway.latency:
            await asyncio.sleep(self.gateway.latency)
        form = {name: str(value) for name, value in (await request.post()).items()}
        strike = self.faults.strike("POST", "/token", json.dumps(form))
        trace, correlation = self.tenant.ids.guid(), self.tenant.ids.guid()
        correlation = request.headers.get("client-request-id", correlation)
        try:
            if strike is not None and strike.effect not in ("F11", "lost", "drop"):
                scope = form.get("scope", "").removesuffix("/.default")
                raise fault_injection.token_error(
                    strike, form.get("client_id", ""), scope, self.tenant.display_name
                )
            body = self.tokens.answer(
                request.match_info["tenant"],
                form,
                request.headers.get("authorization", ""),
                without_roles=strike is not None and strike.effect == "F11",
            )
        except TokenError as refusal:
            answer = refusal.body(self.clock.now(), trace, correlation)
            headers = {"Retry-After": "1"} if refusal.status in (429, 503) else None
            return web.json_response(answer, status=refusal.status, headers=headers)
        if strike is not None and strike.effect in ("lost", "drop"):
            return _cut(request)
        return web.json_response(body, headers={"Cache-Control": "no-store, no-cache"})

    async def _metadata(self, request: web.Request) -> web.Response:
        tenant, own = request.match_info["tenant"], self.tenant
        named = tenant.lower() in ("common", "organizations", own.id, own.domain)
        if not named:
            refusal = unknown_tenant(tenant, guid=len(tenant) == 36)
            body = refusal.body(self.clock.now(), own.ids.guid(), own.ids.guid())
            return web.json_response(body, status=refusal.status)
        base = f"{self.authority}/{tenant}"
        return web.json_response(
            {
                "token_endpoint": f"{base}/oauth2/v2.0/token",
                "token_endpoint_auth_methods_supported": [
                    "client_secret_post",
                    "private_key_jwt",
                    "client_secret_basic",
                ],
                "jwks_uri": f"{base}/discovery/v2.0/keys",
                "response_modes_supported": ["query", "fragment", "form_post"],
                "subject_types_supported": ["pairwise"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "response_types_supported": ["code", "id_token", "code id_token"],
                "scopes_supported": ["openid", "profile", "email", "offline_access"],
                "issuer": f"https://login.microsoftonline.com/{own.id}/v2.0",
                "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                "tenant_region_scope": "EU",
                "cloud_instance_name": "microsoftonline.com",
                "msgraph_host": "graph.microsoft.com",
            }
        )

    async def _keys(self, _request: web.Request) -> web.Response:
        return web.json_response(self.issuer.key_set())


@dataclass(frozen=True)
class Running:
    """A listening emulator: where it is and how to sign in."""

    server: GraphServer
    port: int
    ca_file: str

    @property
    def authority(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def graph(self) -> str:
        return f"{self.authority}/v1.0"

    @property
    def admin(self) -> str:
        return f"{self.authority}/admin"

    @property
    def tenant_id(self) -> str:
        return self.server.tenant.id

    @property
    def client_id(self) -> str:
        return self.server.seeded.administrator.client_id

    @property
    def client_secret(self) -> str:
        return self.server.seeded.administrator.client_secret

    @property
    def automation(self) -> Automation:
        made = self.server.seeded.automation
        return Automation(made.client_id, made.client_secret, made.object_id)

    def ready(self) -> dict[str, Any]:
        """The line that says that the emulator is up."""
        made = self.automation
        return {
            "ready": True,
            "port": self.port,
            "graph": self.graph,
            "authority": self.authority,
            "tenant_id": self.tenant_id,
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "automation": {
                "client_id": made.client_id,
                "client_secret": made.client_secret,
                "object_id": made.object_id,
            },
            "ca_file": self.ca_file,
            "admin": self.admin,
        }


@asynccontextmanager
async def serving(
    *,
    port: int = 0,
    tls: Path | None = None,
    clock: Path | Clock | None = None,
    users: int = 200,
    seed: int = 1,
    traffic: Path | None = None,
) -> AsyncIterator[Running]:
    """Serve on 127.0.0.1 inside the running loop until the block ends."""
    with TemporaryDirectory() as scratch:
        folder = tls or Path(scratch)
        time_source = clock if isinstance(clock, Clock) else Clock(clock)
        server = GraphServer(time_source, seed, users, traffic)
        runner = web.AppRunner(server.application(), access_log=None, shutdown_timeout=1)
        await runner.setup()
        listener = socket.create_server(("127.0.0.1", port))
        try:
            await web.SockSite(runner, listener, ssl_context=server_context(folder)).start()
            running = Running(server, listener.getsockname()[1], str(folder / "ca.pem"))
            server.authority = running.authority
            yield running
        finally:
            await runner.cleanup()
            listener.close()
            server.traffic.close()


def _cut(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


def _text(body: Any) -> str:
    return body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
