"""Files of many rows: written row by row, compressed on the way, and ended before they are large.

An answer of a function is one piece of memory: a tenant of a million accounts must not be one. The
worker can stream bodies, but only when every function of the app takes and gives other types than
those of `azure.functions` (azurefunctions-extensions-http-fastapi, "when enabling HTTP streams, the
original HTTP functionality will not work"). So a large file comes in pieces, and whoever reads them
follows their links.
"""

import asyncio
import csv
import io
import zlib
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import azure.functions as func
import msgspec

from functions.http import asking
from functions.http.rows import cell

T = TypeVar("T")

ROWS = {"json": 100, "csv": 10**7, "ndjson": 10**7}
"""Rows of an answer unless the caller limits it: pages for programs, files with everything."""

LONGEST = {"json": 1000, "csv": 10**7, "ndjson": 10**7}

LARGEST = 16 * 2**20
"""Bytes of a body, as sent; the rest is behind the link that comes with it."""

LONGEST_TEXT = 64 * 2**20
"""Bytes of its rows: compressed, they would take longer than the 230 seconds that Azure's front end
waits for an answer."""

TURN = 2**18
"""Bytes of rows after which other calls of the process have their turn."""

LEVEL = 1
"""Of compression: rows of a directory repeat themselves, more effort gains little."""

_GZIP = 31
"""Makes zlib write gzip's frame."""


class File:
    """A body that grows; `full` when it should be sent."""

    def __init__(self, *, packed: bool) -> None:
        self._pack = zlib.compressobj(LEVEL, zlib.DEFLATED, _GZIP) if packed else None
        self._parts: list[bytes] = []
        self._size = 0
        self.text = 0

    @property
    def full(self) -> bool:
        return self._size >= LARGEST or self.text >= LONGEST_TEXT

    def add(self, line: bytes) -> None:
        self.text += len(line)
        self._keep(self._pack.compress(line) if self._pack else line)

    def answer(self, mimetype: str, headers: Mapping[str, str]) -> func.HttpResponse:
        sent = {**headers, "Vary": "Accept-Encoding"}
        if self._pack is not None:
            self._keep(self._pack.flush())
            sent["Content-Encoding"] = "gzip"
        return func.HttpResponse(b"".join(self._parts), headers=sent, mimetype=mimetype)

    def _keep(self, part: bytes) -> None:
        if part:
            self._parts.append(part)
            self._size += len(part)


def begin(req: func.HttpRequest, form: str, columns: Sequence[str]) -> tuple[File, "Writer"]:
    """A file as the caller takes it, and what writes rows into it; a CSV has its titles."""
    file = File(packed=asking.takes_gzip(req))
    if form == "csv":
        sheet = _Sheet(columns)
        file.add(sheet.titles())
        return file, sheet.line
    return file, _json_line


async def fill(
    file: File,
    rows: AsyncIterator[T],
    limit: int,
    line: Callable[[T], bytes],
    place: Callable[[T], str],
) -> str:
    """Write up to *limit* rows; answers the place of the last one, empty when that was all."""
    last, count, turn = "", 0, TURN
    async for row in rows:
        if count == limit or (count and file.full):
            return last
        file.add(line(row))
        last, count = place(row), count + 1
        if file.text >= turn:
            turn = file.text + TURN
            await asyncio.sleep(0)
    return ""


async def those(rows: AsyncIterator[T], wanted: Callable[[T], bool]) -> AsyncIterator[T]:
    async for row in rows:
        if wanted(row):
            yield row


Writer = Callable[[Any], bytes]
"""Makes a line of a row; of a CSV, of the mapping of its columns."""


class _Sheet:
    """Lines of a CSV."""

    def __init__(self, columns: Iterable[str]) -> None:
        self._columns = tuple(columns)
        self._text = io.StringIO()
        self._writer = csv.writer(self._text)

    def titles(self) -> bytes:
        return self._written(self._columns)

    def line(self, row: Mapping[str, Any]) -> bytes:
        return self._written(cell(row.get(name)) for name in self._columns)

    def _written(self, cells: Iterable[str]) -> bytes:
        self._text.seek(0)
        self._text.truncate()
        self._writer.writerow(cells)
        return self._text.getvalue().encode()


_encoder = msgspec.json.Encoder()


def _json_line(row: Any) -> bytes:
    return _encoder.encode(row) + b"\n"
