"""One Graph request from its bytes to its answer: checks, faults, handler, headers."""

import asyncio
import json
import uuid
from dataclasses import dataclass
from typing import Any

from emulators.graph.errors import GraphError, bad_request
from emulators.graph.fault_answers import graph_error
from emulators.graph.faults import Faults, Strike
from emulators.graph.routing import Answer, Call, Caller, find_route, plain_path
from emulators.graph.spacing import Spacing
from emulators.graph.state import Tenant
from emulators.graph.throttling import Throttle, cost
from emulators.graph.tokens import TokenIssuer

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


@dataclass
class Gateway:
    tenant: Tenant
    issuer: TokenIssuer
    faults: Faults
    throttle: Throttle
    spacing: Spacing
    latency: float = 0.0

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
            strike = self.faults.strike(incoming.method, path, incoming.text)
            self._refuse(strike, path, incoming)
            self.throttle.check(caller.app_id, self.tenant.id, incoming.method, path, units)
            key = self.spacing.begin(incoming.method, path)
            if self.latency:
                await asyncio.sleep(self.latency)
            answer = await self._handle(incoming, path, caller, strike)
            if strike is not None and strike.effect in ("lost", "drop"):
                raise _lost(strike, path, incoming.body)
        except GraphError as refusal:
            date = self.tenant.clock.now().strftime("%Y-%m-%dT%H:%M:%S")
            body = refusal.body(date, request_id, client_id)
            answer = Answer(refusal.status, body, dict(refusal.headers))
        finally:
            self.spacing.end(key)
        self._headers(answer, request_id, client_id, units)
        return answer

    def _refuse(self, strike: Strike | None, path: str, incoming: Incoming) -> None:
        if strike is not None and not strike.effect and strike.rule.fault != "F14":
            raise graph_error(strike, path, _json(incoming))

    async def _handle(
        self, incoming: Incoming, path: str, caller: Caller, strike: Strike | None
    ) -> Answer:
        if incoming.method == "POST" and path.lower() == "/$batch":
            from emulators.graph.batch import run_batch

            return await run_batch(self, incoming, caller)
        route, params = find_route(incoming.method, path)
        route.needs.check(caller.roles)
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
        if strike is not None and strike.rule.fault in ("F14", "replay"):
            call.params["fault"] = "replay" if strike.effect == "replay" else "reset"
        return route.handler(call)

    @staticmethod
    def _headers(answer: Answer, request_id: str, client_id: str, units: int) -> None:
        common = {
            "request-id": request_id,
            "client-request-id": client_id,
            "x-ms-ags-diagnostic": DIAGNOSTIC,
            "x-ms-resource-unit": str(units),
            "Cache-Control": "no-cache",
            "OData-Version": "4.0",
        }
        if answer.status >= 400:
            common["Content-Type"] = "application/json"
        elif isinstance(answer.body, str):
            common["Content-Type"] = "text/plain"
        elif answer.body is not None:
            common["Content-Type"] = JSON
        answer.headers = common | answer.headers


def _lost(strike: Strike, path: str, body: Any) -> Exception:
    if strike.effect == "drop":
        return Dropped()
    return graph_error(strike, path, body)


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
