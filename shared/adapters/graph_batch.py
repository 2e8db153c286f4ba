"""Many small reads in few requests.

An answer of 200 says nothing of its parts: each has a status of its own, in no order, and may be
refused alone. The parts that were are asked for again, the others are used at once.

Source: Graph "JSON batching" (20 requests at most; relative URLs; matched by id) and "Throttling
guidance" (each part counts, and carries its own Retry-After).
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec

from shared.adapters.graph_client import PATIENCE
from shared.adapters.graph_errors import retry_after
from shared.adapters.graph_limiter import cost
from shared.adapters.graph_paging import decoded
from shared.adapters.graph_sending import BACKOFF, PASSING, PERCENTAGE, UNIT, Sender
from shared.errors import TryLater

MOST = 20


class Inner(msgspec.Struct, frozen=True):
    request_id: str = msgspec.field(default="", name="request-id")


class Fault(msgspec.Struct, frozen=True):
    code: str = ""
    message: str = ""
    inner: Inner = msgspec.field(default=Inner(), name="innerError")


class Refusal(msgspec.Struct, frozen=True):
    error: Fault = Fault()


class Part(msgspec.Struct, frozen=True):
    """The answer to one of the requests."""

    id: str
    status: int
    headers: dict[str, str] = {}
    body: msgspec.Raw = msgspec.Raw(b"null")

    @property
    def passing(self) -> bool:
        return self.status in PASSING

    @property
    def gone(self) -> bool:
        return self.status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE)

    @property
    def throttled(self) -> bool:
        return self.status == HTTPStatus.TOO_MANY_REQUESTS

    def wait(self, usual: float) -> float:
        """Seconds for which it asks, or the usual ones."""
        asked = retry_after({"retry-after": self.header("retry-after")})
        return usual if asked is None else asked.total_seconds()

    def header(self, name: str) -> str:
        return next((text for key, text in self.headers.items() if key.lower() == name), "")

    def why(self, doing: str) -> str:
        """Of a refusal, for people: status, code, message and the id in Graph's own logs."""
        try:
            fault = msgspec.json.decode(self.body, type=Refusal).error
        except msgspec.DecodeError:  # a body that is none
            fault = Fault()
        trace = fault.inner.request_id or self.header("request-id")
        return f"{doing}: HTTP {self.status} {fault.code}: {fault.message}" + (
            f" (request-id {trace})" if trace else ""
        )


class Parts(msgspec.Struct, frozen=True):
    responses: list[Part]


_parts = msgspec.json.Decoder(Parts)


async def gathered(sender: Sender, urls: Mapping[str, str], doing: str) -> dict[str, Part]:
    """Answers by id; those that are `passing` were refused until it made no sense to go on."""
    answers: dict[str, Part] = {}
    for usual in (*BACKOFF, 0.0):
        left = [id_ for id_ in urls if id_ not in answers or answers[id_].passing]
        asked = await _ask(sender, {id_: urls[id_] for id_ in left}, doing)
        answers |= asked
        refused = [part for part in asked.values() if part.passing]
        throttled = [part for part in refused if part.throttled]
        if throttled:  # kept by everybody before the next request
            sender.refused(max(part.wait(usual) for part in throttled), parts=len(throttled))
        wait = max((part.wait(usual) for part in refused), default=0.0)
        if not refused or not usual or wait > PATIENCE:
            break
        if len(throttled) < len(refused):
            await sender.sleep(wait)
    return answers


async def _ask(sender: Sender, urls: Mapping[str, str], doing: str) -> dict[str, Part]:
    """*urls* begin behind the version, as the parts of a batch do."""
    parts = [{"id": id_, "method": "GET", "url": url} for id_, url in urls.items()]
    reserved = sum(map(cost, urls.values()))
    body = msgspec.json.encode({"requests": parts})
    data = await sender.data(_request(sender, body), doing, units=reserved)
    found = {part.id: part for part in decoded(_parts, data or b"null", doing).responses}
    missing = urls.keys() - found.keys()
    if missing:
        raise TryLater(
            "GRAPH_UNREADABLE", f"{doing}: the batch's answer lacks {len(missing)} parts"
        )
    said = [part.header(UNIT) for part in found.values()]
    units = str(sum(map(int, said))) if all(map(str.isdigit, said)) else ""
    used = max(part.header(PERCENTAGE) for part in found.values())  # all have two decimals
    sender.told(reserved, units, used)
    return found


def _request(sender: Sender, body: bytes) -> Any:
    """The SDK's own builder of batches models each part, and needs a package it does not name."""
    from kiota_abstractions.method import Method
    from kiota_abstractions.request_information import RequestInformation

    info = RequestInformation()
    info.http_method = Method.POST
    info.url = f"{sender.graph.base}/$batch"
    info.set_stream_content(body, "application/json")
    info.headers.try_add("Accept", "application/json")
    return info
