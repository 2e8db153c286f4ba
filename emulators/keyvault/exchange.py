"""What happens to every request: challenge, faults, permission, operation, log."""

import asyncio
import random
import uuid
from dataclasses import replace

from aiohttp import web

from emulators.keyvault.call import Call
from emulators.keyvault.errors import HEADERS, Refusal, json_response, secret_disabled
from emulators.keyvault.faults import Fault
from emulators.keyvault.operations import OPERATIONS, Operation
from emulators.keyvault.tokens import Caller
from emulators.keyvault.vault import Exchange, Vault

NOBODY = Caller("")


class Desk:
    """Takes requests for one operation; without an operation it knows only how to refuse."""

    def __init__(self, vault: Vault, operation: Operation | None) -> None:
        self._vault = vault
        self._operation = operation
        self._named = operation is not None and "{name}" in operation.paths[0]

    async def __call__(self, request: web.Request) -> web.Response:
        seen = Exchange(
            time=self._vault.settings.clock.time(),
            method=request.method,
            url=str(request.url),
            operation=self._operation.name if self._operation else "unknown",
            status=0,
        )
        await self._delay()
        try:
            response = await self._answer(request, seen)
        except Refusal as refusal:
            response = refusal.response()
        if seen.fault in {"drop", "lost-answer"}:
            if request.transport is not None:
                request.transport.abort()
        else:
            seen.status = response.status
        self._vault.traffic.append(seen)
        client_id = request.headers.get("x-ms-client-request-id")
        if client_id:
            response.headers["x-ms-client-request-id"] = client_id
        response.headers["x-ms-request-id"] = str(uuid.uuid4())
        return response

    async def _delay(self) -> None:
        latency = self._vault.latency
        wait = latency.seconds
        if latency.jitter:
            # Spread, not secret.
            wait += random.uniform(0, latency.jitter)  # noqa: S311
        if wait:
            await asyncio.sleep(wait)

    async def _answer(self, request: web.Request, seen: Exchange) -> web.Response:
        """401 before anything is looked at, as the service does."""
        vault = self._vault
        call = await self._call(request)
        stranger = vault.faults.strike(seen.operation, call.name, authenticated=False)
        if stranger is not None:
            seen.fault = stranger.fault
            raise vault.gate.refusal("AKV10032: Invalid issuer.", tenant=stranger.tenant)
        caller = await vault.gate.caller(request.headers.get("Authorization", ""))
        seen.caller = caller.app_id
        fault = vault.faults.strike(seen.operation, call.name, authenticated=True)
        if fault is not None:
            seen.fault = fault.fault
            _strike(fault, seen.operation)
        if seen.fault == "drop":
            return web.Response()
        return self._run(replace(call, caller=caller))

    async def _call(self, request: web.Request) -> Call:
        return Call(
            name=request.match_info.get("name", ""),
            version=request.match_info.get("version", ""),
            query=request.query,
            body=await request.read(),
            base=f"https://{request.host}",
            path=request.path,
            caller=NOBODY,
        )

    def _run(self, call: Call) -> web.Response:
        operation, vault = self._operation, self._vault
        if operation is None:
            raise Refusal(405, "MethodNotAllowed", "The vault has no such operation.")
        call.check(named=self._named)
        vault.rbac.require(call.caller, operation.action, call.name, vault.settings.name)
        body = operation.run(vault, call)
        if body is None:
            return web.Response(status=204, headers=HEADERS)
        return json_response(body)


def _strike(fault: Fault, operation: str) -> None:
    """Refuse with what the fault says; faults of the connection are not answers."""
    retry = {} if fault.retry_after is None else {"Retry-After": f"{fault.retry_after:g}"}
    match fault.fault:
        case "forbidden":
            text = "Caller is not authorized to perform action on resource."
            raise Refusal(403, "Forbidden", text, "ForbiddenByRbac", retry)
        case "throttled":
            text = "Request was not processed because too many requests were received."
            raise Refusal(429, "Throttled", text, headers=retry or {"Retry-After": "1"})
        case "unavailable":
            text = "The service is temporarily unavailable."
            raise Refusal(503, "ServiceUnavailable", text, headers=retry)
        case "secret-disabled":
            raise secret_disabled(operation)
        case _:
            return


def add_routes(app: web.Application, vault: Vault) -> None:
    """Route every operation, and everything else to a refusal behind the same challenge."""
    for operation in OPERATIONS:
        desk = Desk(vault, operation)
        for path in operation.paths:
            app.router.add_route(operation.method, path, desk.__call__)
    app.router.add_route("*", "/{tail:.*}", Desk(vault, None).__call__)
