"""The HTTPS server: Graph, the token endpoint and the admin interface on one port."""

import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from aiohttp import web

import emulators.graph.calls  # noqa: F401  # registers every route
from emulators.clock import Clock
from emulators.graph.admin import Admin
from emulators.graph.broken import cut, half
from emulators.graph.compression import accepts_gzip
from emulators.graph.errors import GraphError
from emulators.graph.faults import Faults
from emulators.graph.gateway import Dropped, Gateway, Incoming
from emulators.graph.routing import Answer, Caller
from emulators.graph.seed import Seeded, seed_tenant
from emulators.graph.sign_in import SignIn
from emulators.graph.spacing import Spacing
from emulators.graph.state import Tenant
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

    def __init__(
        self,
        clock: Clock,
        seed: int,
        users: int,
        traffic: Path | None,
        groups: int | None = None,
    ) -> None:
        self.clock = clock
        self.tenant = Tenant(clock, seed, users, groups)
        self.seeded: Seeded = seed_tenant(self.tenant)
        self.issuer = TokenIssuer(self.tenant.id, clock)
        self.tokens = TokenEndpoint(self.tenant, self.issuer)
        self.faults = Faults(clock, self.tenant.ids)
        self.throttle = Throttle(clock, users)
        self.spacing = Spacing(clock)
        self.gateway = Gateway(self.tenant, self.issuer, self.faults, self.throttle, self.spacing)
        self.traffic = Traffic(traffic)
        self.authority = ""
        self.skew = 0.0
        """Seconds that the authority's answers are dated ahead of everybody else's clock."""

    def application(self) -> web.Application:
        app = web.Application(client_max_size=8 * 2**20)
        app.router.add_route("*", "/v1.0/{path:.*}", self._graph)
        SignIn(self).add_to(app)
        Admin(self).add_to(app)
        return app

    async def _graph(self, request: web.Request) -> web.StreamResponse:
        text = (await request.read()).decode()
        usage = self.gateway.usage
        usage.begin(time.perf_counter())
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
        except Dropped as dropped:
            usage.end(None)
            self.traffic.graph += 1  # nothing is answered, so there is no pair to record
            if dropped.answer is None:
                return cut(request)
            return await half(request, _encoded(dropped.answer.body) or b"")
        body = _encoded(answer.body)
        usage.end(body)
        roles = sorted(caller.roles) if isinstance(caller, Caller) else []
        self._record(request, incoming, answer, body, roles)
        headers = answer.headers
        if body and accepts_gzip(request.headers):
            body = self.tenant.prepared.packed(answer.lasting, body)
            headers = headers | {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
        return web.Response(status=answer.status, headers=headers, body=body)

    def _record(
        self,
        request: web.Request,
        incoming: Incoming,
        answer: Answer,
        body: bytes | None,
        roles: list[str],
    ) -> None:
        headers = {k: v for k, v in incoming.headers.items() if k != "authorization"}
        self.traffic.record(
            {
                "method": incoming.method,
                "url": f"{self.authority}{request.rel_url.raw_path_qs}",
                "request_headers": headers,
                "request_body": incoming.text or None,
                "status": answer.status,
                "response_headers": answer.headers,
                "response_body": self._recorded(answer, body),
                "app_roles": roles,
            }
        )

    def _recorded(self, answer: Answer, body: bytes | None) -> Any:
        """Not the pages of a large tenant, which would fill the disk."""
        if self.tenant.prepared.on and answer.status == 200:
            return None
        return msgspec.Raw(body) if isinstance(answer.body, dict) and body else answer.body


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
            "identities": {
                name: {
                    "client_id": app.client_id,
                    "client_secret": app.client_secret,
                    "object_id": app.object_id,
                }
                for name, app in self.server.seeded.identities.apps.items()
            },
            "api_audience": self.server.seeded.callers.audience,
            "callers": {
                name: {"client_id": app.client_id, "client_secret": app.client_secret}
                for name, app in self.server.seeded.callers.apps.items()
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
    groups: int | None = None,
) -> AsyncIterator[Running]:
    """Serve on 127.0.0.1 inside the running loop until the block ends.

    With a number of *groups* the tenant is a large one (`large.py`), of prepared pages.
    """
    with TemporaryDirectory() as scratch:
        folder = tls or Path(scratch)
        time_source = clock if isinstance(clock, Clock) else Clock(clock)
        server = GraphServer(time_source, seed, users, traffic, groups)
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
            server.tenant.prepared.close()


def _encoded(body: Any) -> bytes | None:
    if body is None:
        return None
    if isinstance(body, msgspec.Raw):
        return bytes(body)
    return body.encode() if isinstance(body, str) else msgspec.json.encode(body)
