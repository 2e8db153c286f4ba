"""Requests that no SDK sends, as spans."""

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from shared import telemetry

if TYPE_CHECKING:
    import httpx


async def sent(
    http: "httpx.AsyncClient", dependency: str, method: str, url: str, **options: Any
) -> "httpx.Response":
    """Send a request; raises the errors of httpx."""
    attributes = {"http.request.method": method, "server.address": urlsplit(url).hostname or ""}
    with telemetry.asked(dependency, method, attributes) as outcome:
        answer = await http.request(method, url, **options)
        status = answer.status_code
        outcome.note(telemetry.outcome_of(status), f"HTTP {status}")
        telemetry.present().set({"http.response.status_code": status})
    return answer
