"""The host's administration API, reduced to what tools and the demo use."""

import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from emulators.host.function import HTTP, Function
from emulators.host.keys import Keys, presented

log = logging.getLogger("host.admin")

Start = Callable[[Function, str], Awaitable[None]]


class Admin:
    """``/admin/...``: everything but ping needs the master key."""

    def __init__(
        self, functions: Mapping[str, Function], disabled: frozenset[str], keys: Keys, start: Start
    ) -> None:
        self._functions = {name.lower(): function for name, function in functions.items()}
        self._disabled, self._keys, self._start = disabled, keys, start
        self._since = time.monotonic()

    def add_routes(self, router: web.UrlDispatcher) -> None:
        for method in ("GET", "POST"):
            router.add_route(method, "/admin/host/ping", self._ping)
        router.add_get("/admin/host/status", self._guard(self._status))
        router.add_get("/admin/functions", self._guard(self._list))
        router.add_get("/admin/functions/{name}", self._guard(self._show))
        router.add_get("/admin/functions/{name}/status", self._guard(self._show_status))
        router.add_post("/admin/functions/{name}", self._guard(self._run))

    def _guard(
        self, handler: Callable[[web.Request], Awaitable[web.Response]]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def guarded(request: web.Request) -> web.Response:
            if not self._keys.allow("ADMIN", presented(request.headers, request.query)):
                return web.Response(status=401)
            return await handler(request)

        return guarded

    async def _ping(self, _request: web.Request) -> web.Response:
        return web.Response()

    async def _status(self, _request: web.Request) -> web.Response:
        uptime = int((time.monotonic() - self._since) * 1000)
        return web.json_response(
            {"id": "local", "state": "Running", "version": "4.0", "processUptime": uptime}
        )

    async def _list(self, _request: web.Request) -> web.Response:
        return web.json_response([self._entry(each) for each in self._functions.values()])

    def _entry(self, function: Function) -> dict[str, Any]:
        return {
            "name": function.name,
            "language": "python",
            "isDisabled": function.name in self._disabled,
            "config": {"bindings": list(function.bindings)},
        }

    def _find(self, request: web.Request) -> Function:
        function = self._functions.get(request.match_info["name"].lower())
        if function is None:
            raise web.HTTPNotFound(text="")
        return function

    async def _show(self, request: web.Request) -> web.Response:
        return web.json_response(self._entry(self._find(request)))

    async def _show_status(self, request: web.Request) -> web.Response:
        return web.json_response({"isDisabled": self._find(request).name in self._disabled})

    async def _run(self, request: web.Request) -> web.Response:
        """Start a timer or queue function, also a disabled one; answers before it has run."""
        function = self._find(request)
        if function.kind == HTTP:
            return web.Response(status=400, text="HTTP functions are called by their route")
        try:
            document = json.loads(await request.read() or b"{}")
            given = document.get("input", "")
        except (ValueError, AttributeError):
            return web.Response(status=400, text='the body must be JSON: {"input": ...}')
        await self._start(function, given if isinstance(given, str) else json.dumps(given))
        return web.Response(status=202)
