"""HTTP triggers: routing, keys, and the request and response as a worker sees them."""

import logging
from collections.abc import Mapping, Sequence
from http.cookies import SimpleCookie

from aiohttp import web
from azure.functions.meta import Datum

from emulators.host.authentication import OWN, Authentication, Unauthorized
from emulators.host.context import Call
from emulators.host.function import HTTP, Function
from emulators.host.http_routes import Route, Template, find
from emulators.host.keys import Keys, presented
from emulators.host.listener import Runner

log = logging.getLogger("host.http")

BODY_LIMIT = 104_857_600
"""Largest request body of the Azure host, in bytes."""
HOP_BY_HOP = {"content-length", "transfer-encoding", "connection"}


class HttpFunctions:
    """Serves all HTTP functions of an app below the route prefix."""

    def __init__(
        self,
        functions: Sequence[Function],
        prefix: str,
        keys: Keys,
        runner: Runner,
        limit: int,
        authentication: Authentication | None = None,
    ) -> None:
        self._keys, self._runner, self._limit = keys, runner, limit
        self._authentication = authentication
        self._routes = sorted(
            (_route(each, prefix) for each in functions if each.kind == HTTP),
            key=lambda route: route.template.precedence,
        )

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request; anything unknown, also a known path with a wrong method, is 404."""
        try:
            caller = await self._caller(request)
        except Unauthorized as why:
            log.info("unauthorized: %s", why)
            challenge = self._authentication.challenge if self._authentication else ""
            return web.Response(status=401, headers={"WWW-Authenticate": challenge})
        found = find(self._routes, request.method, request.rel_url.raw_path.lstrip("/"))
        if found is None:
            return web.Response(status=404)
        function, values = found
        level = str(function.trigger.get("authLevel", "FUNCTION"))
        if not self._keys.allow(level, presented(request.headers, request.query)):
            return web.Response(status=401)
        if (request.content_length or 0) > self._limit:
            return web.Response(status=413)
        # A body without Content-Length (chunked) is never read by the host: it arrives empty.
        body = await request.read() if request.content_length else b""
        call = Call(
            data=_datum(request, values, body, caller),
            trace_parent=request.headers.get("traceparent", ""),
            trace_state=request.headers.get("tracestate", ""),
        )
        outcome = await self._runner.run(function, call)
        if not outcome.ok or outcome.value is None:
            return web.Response(status=500)
        return _response(outcome.value)

    async def _caller(self, request: web.Request) -> dict[str, str] | None:
        """What the platform says of the caller; None where it does not authenticate."""
        if self._authentication is None:
            return None
        return await self._authentication.headers(request.headers.get("authorization", ""))


def _route(function: Function, prefix: str) -> Route[Function]:
    text = str(function.trigger.get("route") or function.name)
    methods = frozenset(str(method).upper() for method in function.trigger.get("methods", ()))
    return Route(Template(f"{prefix}/{text.lstrip('/')}"), methods, function)


def _strings(values: Mapping[str, str]) -> dict[str, Datum]:
    return {name: Datum(value, "string") for name, value in values.items()}


def _datum(
    request: web.Request, values: Mapping[str, str], body: bytes, caller: dict[str, str] | None
) -> Datum:
    names = dict.fromkeys(name.lower() for name in request.headers)
    headers = {name: ",".join(request.headers.getall(name)) for name in names}
    if caller is not None:
        headers = {k: v for k, v in headers.items() if not k.startswith(OWN)} | caller
    query = {name: ",".join(request.query.getall(name)) for name in request.query}
    return Datum(
        {
            "method": Datum(request.method, "string"),
            "url": Datum(str(request.url), "string"),
            "headers": _strings(headers),
            "query": _strings({name: value for name, value in query.items() if value}),
            "params": _strings(values),
            "body": Datum(body, "bytes"),
        },
        "http",
    )


def _response(value: Datum) -> web.Response:
    if value.type == "string":
        return web.Response(text=value.value)
    answer = value.value
    response = web.Response(
        status=int(answer["status_code"].value), body=answer["body"].value or b""
    )
    for name, header in answer["headers"].items():
        if name.lower() not in HOP_BY_HOP:
            response.headers[name] = header.value
    for jar in answer.get("cookies") or ():
        _add_cookies(response, jar)
    return response


def _add_cookies(response: web.Response, jar: SimpleCookie) -> None:
    for morsel in jar.values():
        response.headers.add("Set-Cookie", morsel.OutputString())
