"""Sends what reads many rows: no faster than the limiter says, and repeated where that may help.

The one place where such requests are repeated: throttling, a service that is unavailable, broken
connections. Waits of more than a few seconds are `TryLater`; nobody sleeps through them.

Source: Graph "Throttling guidance" (Retry-After, x-ms-throttle-priority); DF-01 to DF-07 are the
cases that other readers failed at, see docs/discovery.md.
"""

import asyncio
import random
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from http import HTTPStatus
from typing import Any, TypedDict

from shared import telemetry
from shared.adapters.graph_client import PATIENCE, Graph
from shared.adapters.graph_errors import retry_after
from shared.adapters.graph_limiter import REPORT, cost
from shared.errors import TryLater

BACKOFF = (1.0, 2.0, 4.0)  # seconds, at pace 1, each with up to half as much again
PASSING = (429, 500, 502, 503, 504)
"""Also 500: a page that fails for good is found out by asking again, and only so."""

UNIT = "x-ms-resource-unit"
PERCENTAGE = "x-ms-throttle-limit-percentage"

Headers = Any  # the SDK's collection


class Counts(TypedDict):
    requests: int
    refused: int
    units: int


@dataclass
class Tally:
    """Requests of one reading: all, those refused because of their number, and what they cost."""

    requests: int = 0
    refused: int = 0
    units: int = 0

    def taken(self) -> Counts:
        """The counts since the last call, as a page has them."""
        counts = Counts(requests=self.requests, refused=self.refused, units=self.units)
        self.requests = self.refused = self.units = 0
        return counts


class Sender:
    """Sends the requests of one reading."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.tally = Tally()
        self._limiter = graph.limiter

    async def data(self, info: Any, doing: str, *, units: int = 0) -> bytes | None:
        """The answer's bytes, None for 404.

        *units* is what a batch costs; its caller tells what the parts really did.
        """
        from kiota_http.middleware.options import HeadersInspectionHandlerOption

        heard = HeadersInspectionHandlerOption(inspect_request_headers=False)
        info.add_request_options([heard])
        info.headers.try_add("x-ms-throttle-priority", "Low")
        send = partial(self._send, heard=heard.response_headers, units=units, doing=doing)
        return await self.graph.data(info, doing=doing, send=send)

    async def _send(self, info: Any, *, heard: Headers, units: int, doing: str) -> bytes | None:
        import httpx
        from kiota_abstractions.api_error import APIError

        # Made of its template once: the SDK would do so each time it looks.
        info.path_parameters["baseurl"] = self.graph.base
        info.url = url = info.url
        reserved, report = units or cost(url), REPORT in url
        for usual in (*BACKOFF, 0.0):
            await self._turn(reserved, doing, report=report)
            self.tally.requests += 1
            try:
                data = await self.graph.send_once(info, bulk=True)
            except APIError as error:
                pause = self._pause(error, usual)
                if pause is None:
                    raise
            except httpx.TransportError:
                if not usual:
                    raise
                pause = _jittered(usual)
            else:
                if not units:
                    self.told(reserved, _one(heard, UNIT), _one(heard, PERCENTAGE))
                return data
            await self.sleep(pause)
        raise AssertionError  # the last attempt answers or raises

    def _pause(self, error: Any, usual: float) -> float | None:
        """Seconds after which to ask again, None for not at all.

        What Graph asks for is kept by everybody, in `_turn`.
        """
        asked = retry_after(error.response_headers)
        wanted = _jittered(usual) if asked is None else asked.total_seconds()
        throttled = error.response_status_code == HTTPStatus.TOO_MANY_REQUESTS
        if throttled:
            self.refused(wanted)
        elif asked is not None:
            self.hold(wanted)
        if not usual or error.response_status_code not in PASSING or wanted > PATIENCE:
            return None
        return 0.0 if throttled or asked is not None else wanted

    def told(self, reserved: float, units: str, percentage: str) -> None:
        """What the headers of an answer say of its cost; of a batch those of its parts."""
        self.tally.units += int(self._limiter.told(reserved, units, percentage))

    def hold(self, seconds: float) -> None:
        """Graph is not available: nobody of this identity sends for so long."""
        self._limiter.hold(seconds)

    def refused(self, seconds: float, parts: int = 1) -> None:
        """Because of too many requests: nobody of this identity sends for so long."""
        self.tally.refused += parts
        self._limiter.close(seconds)
        if seconds <= PATIENCE:
            telemetry.paused(seconds * self.graph.pace)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds * self.graph.pace)

    async def _turn(self, units: int, doing: str, *, report: bool) -> None:
        """Wait until it is this request's turn.

        Raises `TryLater` when that is long; the units stay reserved, which only delays others.
        """
        wait = self._limiter.wait(units, report=report)
        while (wait := max(wait, self._limiter.closed())) > 0:
            if wait > PATIENCE:
                raise TryLater(
                    "THROTTLED",
                    f"{doing}: Graph asked everybody who uses this identity to wait.",
                    after=timedelta(seconds=wait),
                    limit=timedelta(hours=1),
                    exact=True,
                )
            await asyncio.sleep(wait)
            wait = 0.0


def _jittered(seconds: float) -> float:
    """So that readers which failed together do not come back together."""
    return seconds * random.uniform(1.0, 1.5)  # noqa: S311 - no secret


def _one(headers: Headers, name: str) -> str:
    found = headers.try_get(name)
    return next(iter(found), "") if found else ""
