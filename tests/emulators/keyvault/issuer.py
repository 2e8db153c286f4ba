"""A tiny token issuer, so that the vault's tests need no other emulator.

OpenID metadata, token endpoint (client credentials) and signing keys, as much as the real
azure-identity ClientSecretCredential asks for.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa

from emulators.clock import Clock
from emulators.tls import server_context

LIFETIME = 3600


@dataclass
class Issuer:
    """An authority with one tenant; any client id with the right secret gets a token."""

    clock: Clock
    tls: Path
    key: rsa.RSAPrivateKey
    kid: str = "one"
    tenant: str = field(default_factory=lambda: str(uuid4()))
    client_id: str = field(default_factory=lambda: str(uuid4()))
    client_secret: str = field(default_factory=lambda: str(uuid4()))
    url: str = ""
    issued: int = 0

    @property
    def ca_file(self) -> str:
        return str(self.tls / "ca.pem")

    def token(self, app_id: str = "", audience: str = "https://vault.azure.net", **claims) -> str:
        """Sign a token; *claims* override what it normally says."""
        now = int(self.clock.time())
        said = {
            "aud": audience,
            "iss": f"{self.url}/{self.tenant}/v2.0",
            "tid": self.tenant,
            "appid": app_id or self.client_id,
            "oid": "0" * 8,
            "nbf": now,
            "iat": now,
            "exp": now + LIFETIME,
        }
        return jwt.encode(said | claims, self.key, algorithm="RS256", headers={"kid": self.kid})

    async def metadata(self, request: web.Request) -> web.Response:
        base = f"{self.url}/{request.match_info['tenant']}"
        return web.json_response(
            {
                "issuer": f"{base}/v2.0",
                "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                "token_endpoint": f"{base}/oauth2/v2.0/token",
                "jwks_uri": f"{base}/discovery/v2.0/keys",
            }
        )

    async def keys(self, _: web.Request) -> web.Response:
        key = jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        return web.json_response({"keys": [key | {"kid": self.kid, "use": "sig"}]})

    async def grant(self, request: web.Request) -> web.Response:
        form = await request.post()
        if form["client_secret"] != self.client_secret:
            return web.json_response({"error": "invalid_client"}, status=401)
        self.issued += 1
        token = self.token(
            str(form["client_id"]),
            str(form["scope"]).removesuffix("/.default"),
            tid=request.match_info["tenant"],
        )
        body = {"token_type": "Bearer", "expires_in": LIFETIME, "access_token": token}
        return web.json_response(body)


@asynccontextmanager
async def issuing(issuer: Issuer) -> AsyncIterator[Issuer]:
    """Serve *issuer* on a free port."""
    app = web.Application()
    app.router.add_get("/{tenant}/v2.0/.well-known/openid-configuration", issuer.metadata)
    app.router.add_get("/{tenant}/discovery/v2.0/keys", issuer.keys)
    app.router.add_post("/{tenant}/oauth2/v2.0/token", issuer.grant)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        context = server_context(issuer.tls)
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        issuer.url = f"https://127.0.0.1:{runner.addresses[0][1]}"
        yield issuer
    finally:
        await runner.cleanup()
