"""Control calls, which no Azure DevOps has.

| call | does |
|---|---|
| GET /admin/organisations | all, with their members |
| POST /admin/organisations | make one, or change the parts given: name, tenant, administrators, inviters, invite_policy, projects, licences |
| POST /admin/behaviour | refuse_ids_with 200 or 400; unavailable: the next n calls are answered 503 |
| GET, DELETE /admin/traffic | every call and its answer, one JSON object a line |
"""  # noqa: E501 - a table

import json

import msgspec
from aiohttp import web

from emulators.devops.state import Organisation, State

PARTS = {
    "tenant": str,
    "administrators": set[str],
    "inviters": set[str],
    "invite_policy": bool,
    "projects": dict[str, str],
    "licences": dict[str, int],
}


class Admin:
    def __init__(self, state: State) -> None:
        self._state = state

    def add_to(self, app: web.Application) -> None:
        router = app.router
        router.add_get("/admin/organisations", self._organisations)
        router.add_post("/admin/organisations", self._change)
        router.add_post("/admin/behaviour", self._behave)
        router.add_get("/admin/traffic", self._traffic)
        router.add_delete("/admin/traffic", self._clear)

    async def _organisations(self, _request: web.Request) -> web.Response:
        return web.json_response([o.shown() for o in self._state.organisations.values()])

    async def _change(self, request: web.Request) -> web.Response:
        body = await request.json()
        name = str(body.pop("name")).lower()
        known = self._state.organisations.get(name) or Organisation(name, self._state.tenant)
        for part, value in body.items():
            if part not in PARTS:
                raise web.HTTPBadRequest(text=f"an organisation has no {part}")
            setattr(known, part, msgspec.convert(value, PARTS[part]))
        self._state.organisations[name] = known
        return web.json_response(known.shown())

    async def _behave(self, request: web.Request) -> web.Response:
        body = await request.json()
        self._state.refuse_ids_with = int(body.get("refuse_ids_with", self._state.refuse_ids_with))
        self._state.unavailable = int(body.get("unavailable", self._state.unavailable))
        return web.json_response({})

    async def _traffic(self, _request: web.Request) -> web.Response:
        lines = "".join(json.dumps(row) + "\n" for row in self._state.traffic)
        return web.Response(text=lines, content_type="application/x-ndjson")

    async def _clear(self, _request: web.Request) -> web.Response:
        self._state.traffic.clear()
        return web.Response(status=204)
