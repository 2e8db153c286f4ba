"""Administration of the emulator itself: plain JSON, no authentication, no part of the service."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, TypeVar

import msgspec
from aiohttp import web

from emulators.keyvault.delivery import QueueSender
from emulators.keyvault.event import Schema
from emulators.keyvault.faults import Fault
from emulators.keyvault.rbac import Role
from emulators.keyvault.state import Secret
from emulators.keyvault.vault import Lag, Latency, Vault

Body = TypeVar("Body")


class Advance(msgspec.Struct, forbid_unknown_fields=True):
    """By how much the clock goes forward."""

    seconds: float = 0.0
    minutes: float = 0.0
    hours: float = 0.0
    days: float = 0.0


class Grant(msgspec.Struct, forbid_unknown_fields=True):
    """A role for an application, or with `default` for all that have none."""

    role: str
    app_id: str | None = None
    names: list[str] | None = None
    delay: float | None = None


class Subscription(msgspec.Struct, forbid_unknown_fields=True):
    """Where the vault's events go from now on."""

    connection: str
    queue: str
    schema: Schema = "EventGridSchema"
    odd_keys: bool = False


class Admin:
    """Handlers of the control URL."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def add_routes(self, app: web.Application) -> None:
        """Route the control URL; must come before the vault's own catch-all."""
        app.router.add_routes(
            [
                web.post("/admin/faults", _guarded(self.plant)),
                web.get("/admin/faults", self.faults),
                web.delete("/admin/faults", self.clear),
                web.post("/admin/rbac", _guarded(self.grant)),
                web.get("/admin/rbac", self.grants),
                web.post("/admin/clock", _guarded(self.advance)),
                web.post("/admin/latency", _guarded(self.latency)),
                web.post("/admin/lag", _guarded(self.lag)),
                web.post("/admin/events", _guarded(self.subscribe)),
                web.get("/admin/traffic", self.traffic),
                web.get("/admin/secrets", self.secrets),
                web.get("/admin/state", self.state),
            ]
        )

    async def plant(self, request: web.Request) -> web.Response:
        return _json(self._vault.faults.plant(await _body(request, Fault)), 201)

    async def faults(self, _: web.Request) -> web.Response:
        return _json(self._vault.faults.planted)

    async def clear(self, _: web.Request) -> web.Response:
        self._vault.faults.clear()
        return web.Response(status=204)

    async def grant(self, request: web.Request) -> web.Response:
        """Without an application, set the default role (at once)."""
        grant = await _body(request, Grant)
        role = Role(grant.role)
        if grant.app_id is None:
            self._vault.rbac.default = role
            return _json({"default": role})
        made = self._vault.rbac.assign(grant.app_id, role, grant.names, grant.delay)
        return _json(made, 201)

    async def grants(self, _: web.Request) -> web.Response:
        rbac = self._vault.rbac
        return _json({"default": rbac.default, "assignments": rbac.assignments})

    async def advance(self, request: web.Request) -> web.Response:
        by = msgspec.structs.asdict(await _body(request, Advance))
        clock = self._vault.settings.clock
        clock.advance(timedelta(**by))
        return _json({"time": clock.time(), "now": clock.now()})

    async def latency(self, request: web.Request) -> web.Response:
        self._vault.latency = await _body(request, Latency)
        return _json(self._vault.latency)

    async def lag(self, request: web.Request) -> web.Response:
        self._vault.lag = await _body(request, Lag)
        return _json(self._vault.lag)

    async def subscribe(self, request: web.Request) -> web.Response:
        body = await _body(request, Subscription)
        sender = QueueSender(body.connection, body.queue)
        await self._vault.events.subscribe(sender, body.schema, odd_keys=body.odd_keys)
        return web.Response(status=204)

    async def traffic(self, _: web.Request) -> web.Response:
        lines = b"".join(msgspec.json.encode(one) + b"\n" for one in self._vault.traffic)
        return web.Response(body=lines, content_type="application/x-ndjson")

    async def secrets(self, _: web.Request) -> web.Response:
        """Every value the vault was ever given, purged or not, for leak checks."""
        return _json(self._vault.state.issued)

    async def state(self, _: web.Request) -> web.Response:
        return _json([self._described(secret) for secret in self._vault.state])

    def _described(self, secret: Secret) -> dict[str, Any]:
        """Everything but values."""
        versions = []
        for version in secret.versions:
            described = msgspec.structs.asdict(version)
            del described["value"]
            versions.append(described)
        return {
            "name": secret.name,
            "phase": secret.phase(self._vault.state.now),
            "deleted": secret.deleted,
            "current": secret.current.id,
            "versions": versions,
        }


def _json(body: object, status: int = 200) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(body), status=status, content_type="application/json"
    )


async def _body(request: web.Request, form: type[Body]) -> Body:
    return msgspec.json.decode(await request.read() or b"{}", type=form)


def _guarded(
    handler: Callable[[web.Request], Awaitable[web.Response]],
) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Answer 400 to a body that does not fit, so that a test's typing error is seen at once."""

    async def guarded(request: web.Request) -> web.Response:
        try:
            return await handler(request)
        except ValueError as error:  # msgspec's errors are of this class
            return _json({"error": str(error)}, 400)

    return guarded
