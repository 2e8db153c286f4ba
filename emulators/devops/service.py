"""Both hosts of Azure DevOps in one: who is let in, and who may manage members."""

import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import aiohttp
from aiohttp import web

from emulators.clock import Clock
from emulators.devops.admin import Admin
from emulators.devops.entitlements import Entitlements, Principal, asked_id
from emulators.devops.errors import Refusal, stranger
from emulators.devops.shapes import descriptor
from emulators.devops.state import Organisation, State
from emulators.keyvault.tokens import Caller, InvalidTokenError, IssuerUnreachableError, Tokens

AUDIENCE = "499b84ac-1321-427f-aa17-267ca6975798"
SIGN_IN = "https://app.vssps.visualstudio.com/_signin"
TENANT = "X-VSS-ResourceTenant"

Handler = Callable[[web.Request, Organisation], Awaitable[web.Response]]


@dataclass(frozen=True)
class Settings:
    """Who issues tokens, and whom to ask about service principals."""

    tls: Path
    authority: str
    tenant: str
    directory: str = ""  # control URL of the directory; without it every id is one of a principal
    port: int = 0
    clock: Clock = Clock()  # noqa: RUF009 - real time, which nobody moves


class DevOps:
    """Organisations at ``/{organisation}/_apis/...``."""

    def __init__(self, settings: Settings, state: State) -> None:
        self._settings, self.state = settings, state
        self._tokens = Tokens(
            settings.authority, settings.tenant, settings.tls, settings.clock, AUDIENCE
        )

    def application(self) -> web.Application:
        app = web.Application()
        Admin(self.state).add_to(app)
        entitlements = "/{organisation}/_apis/serviceprincipalentitlements"
        for method, path, handler in (
            ("GET", "/{organisation}/_apis/connectionData", self._connection_data),
            ("POST", entitlements, self._add),
            ("GET", entitlements + "/{id}", self._read),
            ("PATCH", entitlements + "/{id}", self._patch),
            ("DELETE", entitlements + "/{id}", self._remove),
        ):
            app.router.add_route(method, path, self._desk(handler))
        return app

    def _desk(self, handler: Handler) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            name = request.match_info["organisation"].lower()
            organisation = self.state.organisations.get(name)
            try:
                response = await handler(request, self._known(name))
            except Refusal as refusal:
                response = refusal.response()
            if organisation is not None:
                response.headers[TENANT] = organisation.tenant or str(UUID(int=0))
            await self._record(request, response)
            return response

        return handle

    def _known(self, name: str) -> Organisation:
        if self.state.unavailable:
            self.state.unavailable -= 1
            raise Refusal(503, "The service is unavailable.")
        if name not in self.state.organisations:
            raise Refusal(404, f"The organization {name} does not exist.")
        return self.state.organisations[name]

    async def _record(self, request: web.Request, response: web.Response) -> None:
        self.state.traffic.append(
            {
                "method": request.method,
                "url": str(request.url),
                "request_body": (await request.text()) or None,
                "status": response.status,
                "response_body": response.text,
            }
        )

    async def _caller(self, request: web.Request, organisation: Organisation) -> Caller:
        """Who calls: a user of another tenant is as unknown as somebody without a token."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise stranger("anonymous")
        try:
            caller = await self._tokens.caller(token)
        except InvalidTokenError as error:
            raise Refusal(401, f"VS30063: You are not authorized to access this: {error}") from None
        except IssuerUnreachableError as error:
            raise Refusal(503, str(error)) from None
        if organisation.tenant != self._settings.tenant:
            raise stranger(caller.oid)
        return caller

    async def _entitlements(self, request: web.Request, organisation: Organisation) -> Entitlements:
        caller = await self._caller(request, organisation)
        if "preview" not in request.query.get("api-version", ""):
            # Source: Azure DevOps REST API versioning; a preview API wants its version named.
            raise Refusal(400, "No api-version was supplied, or it is not that of a preview.")
        return Entitlements(self.state, organisation, caller.oid)

    async def _connection_data(
        self, request: web.Request, organisation: Organisation
    ) -> web.Response:
        if "Authorization" not in request.headers:
            return web.Response(status=302, headers={"Location": SIGN_IN})
        caller = await self._caller(request, organisation)
        member = organisation.of(caller.oid)
        if member is None:
            raise stranger(caller.oid)
        user = {
            "id": member.id,
            "descriptor": descriptor(member),
            "subjectDescriptor": descriptor(member),
            "providerDisplayName": member.name,
            "isActive": True,
        }
        return web.json_response(
            {"authenticatedUser": user, "authorizedUser": user, "deploymentType": "hosted"}
        )

    async def _add(self, request: web.Request, organisation: Organisation) -> web.Response:
        entitlements = await self._entitlements(request, organisation)
        body = await _json(request)
        principal = await self._principal(asked_id(body))
        return web.json_response(entitlements.add(body, principal))

    async def _read(self, request: web.Request, organisation: Organisation) -> web.Response:
        entitlements = await self._entitlements(request, organisation)
        return web.json_response(entitlements.read(request.match_info["id"]))

    async def _patch(self, request: web.Request, organisation: Organisation) -> web.Response:
        entitlements = await self._entitlements(request, organisation)
        if request.content_type != "application/json-patch+json":
            raise Refusal(415, "The request must be a JSON patch.")
        body = await _json(request)
        return web.json_response(entitlements.patch(request.match_info["id"], body))

    async def _remove(self, request: web.Request, organisation: Organisation) -> web.Response:
        (await self._entitlements(request, organisation)).remove(request.match_info["id"])
        return web.Response(status=200)

    async def _principal(self, object_id: str) -> Principal | None:
        """Ask the directory: an application's object id is no service principal's."""
        if not self._settings.directory:
            return Principal(object_id, "", "")
        trust = ssl.create_default_context(cafile=str(self._settings.tls / "ca.pem"))
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(10)) as session,
            session.get(f"{self._settings.directory}/state", ssl=trust) as answer,
        ):
            rows = (await answer.json())["servicePrincipals"]
        found = next((row for row in rows if row["id"] == object_id), None)
        if found is None:
            return None
        return Principal(object_id, found["appId"], found.get("displayName") or "")


async def _json(request: web.Request) -> Any:
    try:
        return await request.json()
    except ValueError:
        raise Refusal(400, "The body is no JSON.") from None
