"""HTTP side of the token endpoint: tokens, metadata, keys."""

import asyncio
import json
from datetime import timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

from aiohttp import web

from emulators.graph.broken import cut
from emulators.graph.fault_answers import token_error
from emulators.graph.sts_errors import TokenError, unknown_tenant

if TYPE_CHECKING:
    from emulators.graph.server import GraphServer


class SignIn:
    def __init__(self, server: "GraphServer") -> None:
        self._server, self._tenant = server, server.tenant

    def add_to(self, app: web.Application) -> None:
        app.router.add_post("/{tenant}/oauth2/v2.0/token", self._token)
        app.router.add_get("/{tenant}/v2.0/.well-known/openid-configuration", self._metadata)
        app.router.add_get("/{tenant}/discovery/v2.0/keys", self._keys)

    async def _token(self, request: web.Request) -> web.Response:
        self._server.traffic.token += 1
        if self._server.gateway.latency:
            await asyncio.sleep(self._server.gateway.latency)
        form = {name: str(value) for name, value in (await request.post()).items()}
        strike = self._server.faults.strike("POST", "/token", json.dumps(form))
        trace, correlation = self._tenant.ids.guid(), self._tenant.ids.guid()
        correlation = request.headers.get("client-request-id", correlation)
        try:
            if strike is not None and strike.effect not in ("F11", "lost", "drop"):
                scope = form.get("scope", "").removesuffix("/.default")
                raise token_error(
                    strike, form.get("client_id", ""), scope, self._tenant.display_name
                )
            body = self._server.tokens.answer(
                request.match_info["tenant"],
                form,
                request.headers.get("authorization", ""),
                without_roles=strike is not None and strike.effect == "F11",
            )
        except TokenError as refusal:
            answer = refusal.body(self._server.clock.now(), trace, correlation)
            headers = {"Retry-After": "1"} if refusal.status in (429, 503) else None
            return web.json_response(answer, status=refusal.status, headers=headers)
        if strike is not None and strike.effect in ("lost", "drop"):
            return cut(request)
        return web.json_response(body, headers={"Cache-Control": "no-store, no-cache"})

    async def _metadata(self, request: web.Request) -> web.Response:
        tenant, own = request.match_info["tenant"], self._tenant
        named = tenant.lower() in ("common", "organizations", own.id, own.domain)
        if not named:
            refusal = unknown_tenant(tenant, guid=len(tenant) == 36)
            body = refusal.body(self._server.clock.now(), own.ids.guid(), own.ids.guid())
            return web.json_response(body, status=refusal.status)
        base = f"{self._server.authority}/{tenant}"
        date = self._server.clock.now() + timedelta(seconds=self._server.skew)
        headers = {"Date": format_datetime(date, usegmt=True)}
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
            },
            headers=headers,
        )

    async def _keys(self, _request: web.Request) -> web.Response:
        return web.json_response(self._server.issuer.key_set())
