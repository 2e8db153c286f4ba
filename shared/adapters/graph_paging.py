"""Long lists of Graph, page by page; each page has the link of the next one.

A reading may stop after any page and go on in another process. The next page is asked for before
the one in hand is decoded and stored, so that the tenant's answers are waited for only once.

Source: Graph "Paging" (a page may be short or empty: only a missing link ends a list; headers are
not repeated by the server), "List users" ($top, at most 999).
"""

import asyncio
import math
import re
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from shared.adapters.graph_account_pages import EXPIRED, gone, linked
from shared.adapters.graph_client import Page
from shared.adapters.graph_errors import graph_errors
from shared.adapters.graph_sending import Sender
from shared.errors import NeedsHuman

T = TypeVar("T")
S = TypeVar("S")
P = TypeVar("P", bound=Page[Any])
T_co = TypeVar("T_co", covariant=True)

LARGEST_PAGE = 999
SMALLEST_PAGE = 25
REMEMBERED = 6 * 3600.0  # seconds for which a smaller page size is kept; then tried again

UNLICENSED = (
    "AadPremiumLicenseRequired",  # PIM without Entra ID P2
    "NonPremiumTenant",  # reports without Entra ID P1
)
TOO_LARGE = re.compile(
    r"between 1 and (\d+)|more than (\d+) \w+ at a time|page size", re.IGNORECASE
)
NO_TOP = re.compile(r"\$top\W+is not supported", re.IGNORECASE)
NEXT = b'"@odata.nextLink":"'


class Decoder(Protocol[T_co]):
    """Makes a page, or whatever, of an answer's bytes."""

    def decode(self, data: bytes, /) -> T_co: ...


@dataclass(frozen=True)
class Listing(Generic[P]):
    """One list and how to ask for it."""

    first: Callable[[int], Any]  # the request for its first page, by page size
    decoder: Decoder[P]
    doing: str
    source: str  # under which the page size that it bears is remembered
    largest: int = LARGEST_PAGE  # 0: without $top
    advanced: bool = False  # needs a header, which the server does not carry to the next page


class Reader:
    """Reads lists for one reading of a source."""

    def __init__(self, sender: Sender) -> None:
        self.sender = sender
        self._sizes = sender.graph.sizes

    async def pages(self, listing: Listing[P], link: str = "") -> AsyncIterator[P]:
        """From the beginning, or from where *link* stands.

        Raises `NeedsHuman` with code PAGE_TOKEN_EXPIRED when the link is no longer good; a list
        that is not there with SOURCE_GONE, as "nobody" and "no such group" must not look alike.
        """
        async with ahead(self._data(listing, link)) as coming:
            while True:
                data = await coming.result()
                likely = _next_link(data)
                if likely:
                    await coming.start(self._data(listing, likely))
                page = decoded(listing.decoder, data, listing.doing)
                if (page.next_link or "") != likely:
                    await coming.drop()
                    if page.next_link:
                        await coming.start(self._data(listing, page.next_link))
                yield page
                if not page.next_link:
                    return

    async def page(self, listing: Listing[P], link: str = "") -> P:
        return decoded(listing.decoder, await self._data(listing, link), listing.doing)

    async def one(self, info: Any, type_: type[T], doing: str) -> T | None:
        """A single object; None when it is not there."""
        data = await self.sender.data(info, doing)
        return None if data is None else decoded(msgspec.json.Decoder(type_), data, doing)

    async def _data(self, listing: Listing[P], link: str) -> bytes:
        while True:
            size = self.size(listing)
            info = linked(self.sender.graph, link) if link else listing.first(size)
            if listing.advanced:
                info.headers.try_add("ConsistencyLevel", "eventual")
            try:
                data = await self.sender.data(info, listing.doing)
            except NeedsHuman as problem:
                if not self.shrunk(listing, size, problem.message):
                    raise understood(problem) from problem
                if link:  # the size is part of it
                    raise expired(problem.message) from problem
                continue
            if data is None:
                raise gone(listing.doing, continued=bool(link))
            return data

    def shrunk(self, listing: Listing[Any], size: int, refusal: str) -> bool:
        """Whether *size* was refused as too large, and a smaller one is to be tried."""
        smaller = _smaller(refusal, size)
        if smaller is None:
            return False
        self._sizes[listing.source] = (smaller, time.monotonic() + REMEMBERED)
        return True

    def size(self, listing: Listing[Any]) -> int:
        """Rows to ask for on a page of this list."""
        size, until = self._sizes.get(listing.source, (listing.largest, math.inf))
        return min(size, listing.largest) if time.monotonic() < until else listing.largest


def understood(problem: NeedsHuman) -> NeedsHuman:
    """What a refusal means for the list that was read."""
    if EXPIRED in problem.message:
        return expired(problem.message)
    if any(mark in problem.message for mark in UNLICENSED):
        return NeedsHuman(
            "NOT_LICENSED",
            problem.message,
            "Nothing, if the tenant is to do without; the rest of the scan goes on. Otherwise "
            "get the licence that the answer names.",
        )
    return problem


def expired(message: str) -> NeedsHuman:
    return NeedsHuman("PAGE_TOKEN_EXPIRED", message, "Nothing: the list is read again.")


def decoded(decoder: Decoder[T], data: bytes, doing: str) -> T:
    with graph_errors(doing):
        return decoder.decode(data)


def _smaller(refusal: str, size: int) -> int | None:
    """The page size to try after a refusal; None when it was not about the size."""
    if not size or "HTTP 400" not in refusal:
        return None
    if NO_TOP.search(refusal):
        return 0
    found = TOO_LARGE.findall(refusal)
    if not found or size <= SMALLEST_PAGE:
        return None
    named = [int(number) for numbers in found for number in numbers if number]
    return min([number for number in named if number < size], default=size // 2)


def _next_link(data: bytes) -> str:
    """The link, found without decoding; it stands before the rows, or at the very end.

    The mark cannot be part of a value: quotes in there are escaped.
    """
    at = data.find(NEXT, 0, 4096)
    if at < 0:
        at = data.rfind(NEXT, max(len(data) - 4096, 0))
    if at < 0:
        return ""
    begin = at + len(NEXT)
    link = data[begin : data.find(b'"', begin)]
    return "" if b"\\" in link else link.decode()


class Coming(Generic[T]):
    """What is being fetched while something else is worked on."""

    def __init__(self, first: Coroutine[Any, Any, T]) -> None:
        self._task = asyncio.create_task(first)

    async def result(self) -> T:
        return await self._task

    async def start(self, what: Coroutine[Any, Any, T]) -> None:
        self._task = asyncio.create_task(what)
        await asyncio.sleep(0)  # so that it is on its way

    async def drop(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


@asynccontextmanager
async def ahead(first: Coroutine[Any, Any, T]) -> AsyncIterator[Coming[T]]:
    """Nothing is left running when the reading stops, for whatever reason."""
    coming = Coming(first)
    try:
        yield coming
    finally:
        await coming.drop()
