"""One Graph request from its bytes to its answer: checks, faults, handler, headers."""

import asyncio
import json
import uuid
from dataclasses import dataclass, field
from typing import Any

from emulators.graph.admitted import Admitted
from emulators.graph.discovery_faults import altered
from emulators.graph.errors import GraphError, bad_request
from emulators.graph.fault_answers import graph_error
from emulators.graph.faults import Faults, Strike
from emulators.graph.routing import Answer, Call, Caller, find_route, plain_path
from emulators.graph.spacing import Spacing
from emulators.graph.state import Tenant
from emulators.graph.throttling import Throttle, cost
from emulators.graph.tokens import TokenIssuer
from emulators.graph.usage import Usage

JSON = (
    "application/json;odata.metadata=minimal;odata.streaming=true;"
    "IEEE754Compatible=false;charset=utf-8"
)
SERVER_INFO = {
    "DataCenter": "West Europe",
    "Slice": "E",
    "Ring": "5",
    "ScaleUnit": "001",
    "RoleInstance": "AM2PEPF00000000",
}
DIAGNOSTIC = json.dumps({"ServerInfo": SERVER_INFO})


class Dropped(Exception):
    """The connection is to be cut; the write has been applied."""

    def __init__(self, answer: Answer | None = None) -> None:
        super().__init__()
        self.answer = answer
        """Half of it arrives."""


@dataclass
class Incoming:
    """A request as it came in, or an item of a batch."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    text: str = ""
    body: Any = None
    base: str = ""
    inner: bool = False
    """Of a batch: on the way it is one request with the others."""


@dataclass
class Gateway:
    tenant: Tenant
    issuer: TokenIssuer
    faults: Faults
    throttle: Throttle
    spacing: Spacing
    latency: float = 0.0
    usage: Usage = field(default_factory=Usage)
    admitted: Admitted = field(default_factory=Admitted)

    def caller(self, incoming: Incoming) -> Caller:
        return self.issuer.caller(incoming.headers.get("authorization", ""))

    async def answer(self, incoming: Incoming, caller: Caller | GraphError) -> Answer:
        """Everything between reading the request and writing the answer."""
        request_id = str(uuid.uuid4())
        client_id = incoming.headers.get("client-request-id", request_id)
        path = plain_path(incoming.path)
        units, strike, key = cost(incoming.method, path, incoming.query), None, None
        try:
            if isinstance(caller, GraphError):
                raise caller
            continued = "$skiptoken" in incoming.query
            strike = self.faults.strike(incoming.method, path, incoming.text, continued=continued)
            self._refuse(strike, path, incoming)
            self.throttle.check(caller.app_id, self.tenant.id, incoming.method, path, units)
            key = self.spacing.begin(incoming.method, path)
            if self.latency and not incoming.inner:
                await asyncio.sleep(self.latency)
            answer = await self._handle(incoming, path, caller, strike)
            await _lost(strike, path, answer, incoming.body)
        except GraphError as refusal:
            date = self.tenant.clock.now().strftime("%Y-%m-%dT%H:%M:%S")
            body = refusal.body(date, request_id, client_id)
            answer = Answer(refusal.status, body, dict(refusal.headers))
        finally:
            self.spacing.end(key)
        self._headers(answer, request_id, client_id, units)
        if isinstance(caller, Caller):
            answer.headers |= self.throttle.headers(caller.app_id)
        if units:
            self.usage.call(answer.status, units)
        return answer

    def _refuse(self, strike: Strike | None, path: str, incoming: Incoming) -> None:
        if strike is not None and strike.refuses:
            raise graph_error(strike, path, _json(incoming))

    async def _handle(
        self, incoming: Incoming, path: str, caller: Caller, strike: Strike | None
    ) -> Answer:
        if incoming.method == "POST" and path.lower() == "/$batch":
            from emulators.graph.batch import run_batch

            return await run_batch(self, incoming, caller)
        route, params = find_route(incoming.method, path)
        named = f"{route.method} {route.template}"
        try:
            enough = route.needs.check(caller.roles)
        except GraphError:
            self.admitted.turn_away(caller.app_id, named)
            raise
        self.admitted.let_in(caller.app_id, enough, named)
        call = Call(
            tenant=self.tenant,
            caller=caller,
            method=incoming.method,
            base=incoming.base,
            path=path,
            query=incoming.query,
            headers=incoming.headers,
            body=_json(incoming),
            params=params,
            template=route.template,
        )
        if strike is None:
            if incoming.method != "GET":
                self.tenant.prepared.forget()
            return self.tenant.prepared.answer(call, route.handler)
        call.strike = strike
        return altered(strike.effect, call, route.handler(call), strike.rule.hits)

    @staticmethod
    def _headers(answer: Answer, request_id: str, client_id: str, units: int) -> None:
        common = {
            "request-id": request_id,
            "client-request-id": client_id,
            "x-ms-ags-diagnostic": DIAGNOSTIC,
            "Cache-Control": "no-cache",
            "OData-Version": "4.0",
        }
        if units:
            common["x-ms-resource-unit"] = str(units)
        if answer.status >= 400:
            common["Content-Type"] = "application/json"
        elif isinstance(answer.body, str):
            common["Content-Type"] = "text/plain"
        elif answer.body is not None:
            common["Content-Type"] = JSON
        answer.headers = common | answer.headers


async def _lost(strike: Strike | None, path: str, answer: Answer, body: Any) -> None:
    """After the work is done: its answer does not arrive as it is, or not at all."""
    effect = "" if strike is None else strike.effect
    if strike is None or effect not in ("lost", "drop", "hang", "partial"):
        return
    if effect == "lost":
        raise graph_error(strike, path, body)
    if effect == "hang":
        await asyncio.sleep(float(strike.rule.wanted.get("hold", 1)))
    raise Dropped(answer if effect == "partial" else None)


def _json(incoming: Incoming) -> Any:
    if incoming.body is not None or not incoming.text.strip():
        return incoming.body
    try:
        return json.loads(incoming.text)
    except ValueError as wrong:
        raise bad_request(
            "Unable to read JSON request payload. Please ensure Content-Type header is set and "
            "payload is of valid JSON format.",
            "BadRequest",
        ) from wrong
