"""Requests of Azure's clients to vault, storage and token endpoint as spans, one for each attempt.

Azure's own tracing writes whole addresses: those of tables hold the keys of rows. Of ours they
keep what the request is about: the table, the container, the kind of object.
"""

from typing import Any
from urllib.parse import urlsplit

from azure.core.pipeline.transport import AioHttpTransport

from shared import telemetry
from shared.adapters import proxies


class TracedTransport(AioHttpTransport):  # type: ignore[misc] # loaded late, without a type
    """Sends as the clients' own does."""

    def __init__(self, dependency: str) -> None:
        super().__init__(use_env_settings=proxies.configured())
        self._dependency = dependency

    async def send(self, request: Any, **config: Any) -> Any:
        parts = urlsplit(request.url)
        attributes = {
            "http.request.method": request.method,
            "server.address": parts.hostname or "",
            "entity": _entity(parts.path, parts.hostname or ""),
        }
        with telemetry.asked(self._dependency, request.method, attributes) as outcome:
            answer = await super().send(request, **config)
            outcome.note(telemetry.outcome_of(answer.status_code), f"HTTP {answer.status_code}")
            telemetry.present().set({"http.response.status_code": answer.status_code})
        return answer


def _entity(path: str, host: str) -> str:
    """The table, container or kind of object. Behind an address of numbers comes the account."""
    words = path.strip("/").split("/")
    numbers = host.replace(".", "").isdecimal()
    return words[1 if numbers and len(words) > 1 else 0].partition("(")[0]
