"""Control of the emulator, plain JSON without authentication, under /admin.

| call | body and answer |
|---|---|
| POST /faults | `{"call", "fault", "times", "seconds", "pattern", "probability", "seed", …}`: id |
| GET /faults, DELETE /faults[/id] | rules with their hit counts |
| POST /lag | `{"seconds": t, "token_seconds": t, "removal_seconds": t}`: replication delay |
| POST /latency | `{"seconds": t}`: every Graph and token request takes that long |
| POST /spacing | `{"seconds": 1}`: refuse credential writes closer than that (F7); 0 is off |
| POST /throttling | `{"enabled": true, "scale": 1.0}`: Graph's token buckets |
| POST /paging | `{"lifetime_seconds": s, "expire": true}`: page tokens die |
| GET, DELETE /usage | requests, calls, resource units, 429, bytes, since it was deleted |
| GET /truth | who and what there is, and why, for comparison: see `truth.py` |
| GET, POST /clock | `{"advance_seconds": s}`: `{"now", "time"}` |
| GET, DELETE /traffic | NDJSON; `?count=1`: `{"graph": n, "token": n}` |
| POST /tenant | bulk changes, see `bulk.py` |
| POST /grant | `{"app": id, "role": name, "resource": appId, "revoke": false}` |
| POST /policy | `{"max_lifetime": "P90D", "passwords_forbidden": b, "max_secrets": n, "app": id}` |
| | and `"max_key_lifetime"`, of certificates |
| GET /secrets | every secret value ever issued |
| GET /state | applications, service principals, grants, role assignments |

A fault: `call` is "POST /applications/{id}/addPassword" (`{…}` stands for any segment, a real id
strikes one object only, "*" any call; "POST /token" is the token endpoint). `fault` is F1 to F17,
DF-01 to DF-32 (`discovery_faults.py`), `{"status", "code", "message", "headers", "body": null}`,
or one of:

| fault | what becomes of the answer |
|---|---|
| lost, drop, partial | applied, then 504 or `status`; then cut; cut in the middle of the body |
| hang | cut after `hold` seconds |
| replay, disorder | delta repeats an item; repeats, reverses, removes and adds again |
| split | a group's members come in parts of `members` on different pages |
| expired, unsynchronised | the page token has expired; the delta token is not known |
| blank, short | an empty page with a link to the next one; half as many rows |
| smaller | pages of more than `largest` are refused |
| cut, empty | the link to the next page is missing; an empty list |

`object` narrows to calls that name an id anywhere, `continuation` to those for a further page.
`pattern` is `[0, 1, 0]` or "ok,404,ok", one mark for each call, with `repeat` from the start
again, with `last` the last one ever after. F13 takes `status` and `retry_after`; F17 takes `code`
500011.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from aiohttp import web

from emulators.graph import bulk
from emulators.graph.errors import GraphError, bad_request
from emulators.graph.grants import make_grant
from emulators.graph.objects import shown
from emulators.graph.state import Entity
from emulators.graph.tokens import GRAPH_APP_ID
from emulators.graph.truth import Truth
from emulators.graph.usage import Usage

if TYPE_CHECKING:
    from emulators.graph.server import GraphServer

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Act = Callable[[dict[str, Any]], Any]
CHANGING = ("tenant", "grant", "policy", "lag", "clock")


class Admin:
    def __init__(self, server: "GraphServer") -> None:
        self._server = server
        self._tenant = server.tenant

    def add_to(self, app: web.Application) -> None:
        posts: dict[str, Act] = {
            "faults": self._add_fault,
            "lag": self._lag,
            "latency": self._latency,
            "skew": self._skew,
            "spacing": self._spacing,
            "throttling": self._server.throttle.configure,
            "paging": self._tenant.paging.configure,
            "clock": self._advance,
            "tenant": lambda body: bulk.apply(self._tenant, body),
            "grant": self._grant,
            "policy": self._tenant.policies.configure,
        }
        gets: dict[str, Callable[[], Any]] = {
            "faults": lambda: [rule.view() for rule in self._server.faults.rules.values()],
            "clock": self._clock,
            "secrets": lambda: {"secrets": self._tenant.issued_secrets},
            "state": self._state,
            "usage": self._usage,
            "permissions": self._server.gateway.admitted.view,
        }
        for name, act in posts.items():
            app.router.add_post(f"/admin/{name}", _posting(self._forgetting(name, act)))
        for name, read in gets.items():
            app.router.add_get(f"/admin/{name}", _getting(read))
        app.router.add_delete("/admin/faults", self._clear_faults)
        app.router.add_delete("/admin/faults/{id}", self._clear_faults)
        app.router.add_get("/admin/traffic", self._traffic)
        app.router.add_delete("/admin/traffic", self._clear_traffic)
        app.router.add_delete("/admin/usage", self._clear_usage)
        app.router.add_delete("/admin/permissions", self._clear_admitted)
        app.router.add_get("/admin/truth", Truth(self._tenant).answer)

    def _forgetting(self, name: str, act: Act) -> Act:
        """Pages that were rendered before a change show what was."""
        if name not in CHANGING:
            return act

        def change(body: dict[str, Any]) -> Any:
            self._tenant.prepared.forget()
            return act(body)

        return change

    def _add_fault(self, body: dict[str, Any]) -> dict[str, str]:
        rule = self._server.faults.add(body)
        if rule.fault == "F10":  # what was removed is still listed, and still works
            self._tenant.lag.removal_seconds = float(body.get("seconds", 60))
        return {"id": rule.id}

    def _lag(self, body: dict[str, Any]) -> dict[str, float]:
        lag = self._tenant.lag
        lag.seconds = float(body.get("seconds", 0))
        # The token endpoint has replicas of its own; they are as late unless said otherwise.
        lag.token_seconds = float(body.get("token_seconds", lag.seconds))
        lag.removal_seconds = float(body.get("removal_seconds", 0))
        return {
            "seconds": lag.seconds,
            "token_seconds": lag.token_seconds,
            "removal_seconds": lag.removal_seconds,
        }

    def _latency(self, body: dict[str, Any]) -> dict[str, float]:
        self._server.gateway.latency = float(body.get("seconds", 0))
        return {"seconds": self._server.gateway.latency}

    def _skew(self, body: dict[str, Any]) -> dict[str, float]:
        self._server.skew = float(body.get("seconds", 0))
        return {"seconds": self._server.skew}

    def _spacing(self, body: dict[str, Any]) -> dict[str, float]:
        self._server.spacing.seconds = float(body.get("seconds", 1))
        return {"seconds": self._server.spacing.seconds}

    def _advance(self, body: dict[str, Any]) -> dict[str, Any]:
        self._server.clock.advance(timedelta(seconds=float(body["advance_seconds"])))
        return self._clock()

    def _clock(self) -> dict[str, Any]:
        return {"now": self._tenant.stamp(fraction=True), "time": self._server.clock.time()}

    def _principal(self, key: str) -> Entity:
        tenant = self._tenant
        found = tenant.principal_of(key) or tenant.tables["servicePrincipal"].truth(key)
        if found is None:
            raise bad_request(f"No service principal '{key}'.")
        return found

    def _grant(self, body: dict[str, Any]) -> dict[str, Any]:
        client = self._principal(body["app"])
        resource = self._principal(body.get("resource", GRAPH_APP_ID))
        wanted = body["role"]
        for role in resource.body["appRoles"]:
            if wanted in (role["value"], role["id"]):
                break
        else:
            raise bad_request(f"No application permission '{wanted}'.")
        if not body.get("revoke"):
            return make_grant(self._tenant, client.id, resource.id, role["id"], settled=True)
        for grant in list(self._tenant.app_roles.true_values()):
            if (grant["principalId"], grant["appRoleId"]) == (client.id, role["id"]):
                return self._tenant.app_roles.remove(grant["id"])
        raise bad_request(f"'{wanted}' is not granted.")

    def _state(self) -> dict[str, Any]:
        tenant = self._tenant
        return {
            "tenant_id": tenant.id,
            "domain": tenant.domain,
            "applications": [
                shown(e, tenant)
                | {
                    "owners": e.owners,
                    "keyIds": [s.key_id for s in e.secrets if s.gone is None],
                    "removedKeyIds": [s.key_id for s in e.secrets if s.gone is not None],
                    "federatedIdentityCredentials": list(e.federated.values()),
                }
                for e in tenant.tables["application"].true_values()
            ],
            "servicePrincipals": [
                shown(e, tenant) | {"owners": e.owners}
                for e in tenant.tables["servicePrincipal"].true_values()
                if e.body["appOwnerOrganizationId"] == tenant.id
            ],
            "appRoleAssignments": list(tenant.app_roles.true_values()),
            "oauth2PermissionGrants": list(tenant.consents.true_values()),
            "roleAssignments": list(tenant.role_assignments.true_values()),
            "deletedItems": [e.body | {"kind": e.kind} for e in tenant.deleted.values()],
            "users": len(tenant.users),
        }

    async def _clear_faults(self, request: web.Request) -> web.Response:
        rules = self._server.faults.rules
        identity = request.match_info.get("id")
        if identity is None or (identity in rules and rules[identity].fault == "F10"):
            self._tenant.lag.removal_seconds = 0.0
        if identity is None:
            rules.clear()
        elif rules.pop(identity, None) is None:
            return web.json_response({"error": f"No fault '{identity}'."}, status=404)
        return web.Response(status=204)

    async def _traffic(self, request: web.Request) -> web.Response:
        traffic = self._server.traffic
        if request.query.get("count"):
            return web.json_response({"graph": traffic.graph, "token": traffic.token})
        return web.Response(body=traffic.text(), content_type="application/x-ndjson")

    def _usage(self) -> dict[str, Any]:
        return self._server.gateway.usage.view()

    async def _clear_usage(self, _request: web.Request) -> web.Response:
        self._server.gateway.usage = Usage()
        return web.Response(status=204)

    async def _clear_admitted(self, _request: web.Request) -> web.Response:
        self._server.gateway.admitted.clear()
        return web.Response(status=204)

    async def _clear_traffic(self, _request: web.Request) -> web.Response:
        self._server.traffic.clear()
        return web.Response(status=204)


def _posting(act: Act) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            body = await request.json()
            return web.json_response(act(body))
        except GraphError as refusal:
            return web.json_response({"error": refusal.message}, status=400)
        except (ValueError, KeyError, TypeError, AttributeError) as wrong:
            return web.json_response({"error": f"Bad body: {wrong!r}"}, status=400)

    return handle


def _getting(read: Callable[[], Any]) -> Handler:
    async def handle(_request: web.Request) -> web.StreamResponse:
        return web.json_response(read())

    return handle
