"""Spans of requests to Graph, one for each.

The SDK has spans of its own, seven for each request, which hold the whole address: in ids and
filters of directory objects that is personal data, and in delta links a token. Ours hold the
address's template.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote, urlsplit

from shared import telemetry

_WORD = re.compile(r"[$A-Za-z]+|v1\.0")
_VERSION = ("/v1.0", "/beta")


@contextmanager
def request_span(info: Any, host: str) -> Iterator[None]:
    """While *info* is on its way; the adapter's error says how it was refused."""
    from kiota_abstractions.api_error import APIError

    method, path = info.http_method.value, template(info)
    attributes = {"http.request.method": method, "url.template": path, "server.address": host}
    with telemetry.asked("graph", f"{method} {path}", attributes) as outcome:
        try:
            yield
        except APIError as error:
            status = error.response_status_code or 0
            outcome.note(telemetry.outcome_of(status), f"HTTP {status}")
            if status == 429:
                telemetry.add("keyturn.graph.throttled")
            raise


def told(status: int, headers: Mapping[str, str]) -> None:
    """What an answer says of itself, in any letter case."""
    attributes: dict[str, str | int] = {"http.response.status_code": status}
    for name, header in (("request_id", "request-id"), ("retry_after", "Retry-After")):
        if value := headers.get(header):
            attributes[name] = value
    telemetry.present().set(attributes)


def template(info: Any) -> str:
    """The path without ids and query: ``/users/{user-id}/memberOf``."""
    given = info.url_template
    if given and "request-raw-url" not in (info.path_parameters or {}):
        path = given.removeprefix("{+baseurl}").partition("{?")[0]
        return unquote(path)
    path = urlsplit(info.url).path
    for version in _VERSION:
        path = path.removeprefix(version)
    return "/".join(_segment(each) for each in path.split("/"))


def _segment(text: str) -> str:
    name, bracket, _ = unquote(text).partition("(")
    if bracket:
        return f"{name}()" if _WORD.fullmatch(name) else "{id}"
    return text if not text or _WORD.fullmatch(text) else "{id}"
