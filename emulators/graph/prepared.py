"""Pages of a tenant too large to be rendered again for every reader.

Each is rendered once, by the same handlers as ever, kept as bytes in a file, and good until the
tenant changes. Tokens, permissions, limits and faults are looked at before, for every request.
"""

import os
from collections.abc import Callable, Hashable
from tempfile import TemporaryFile
from typing import Any

import msgspec

from emulators.graph.compression import packed
from emulators.graph.routing import Answer, Call

KEPT = frozenset({"consistencylevel", "prefer"})
"""Headers that the answer to a read depends on."""
MOST = 6 * 2**30
"""Bytes; then everything is forgotten, which only costs time."""


class Prepared:
    """What was rendered, off unless it is asked for; small tenants do not need it."""

    def __init__(self, *, on: bool = False) -> None:
        self.on = on
        self._file = TemporaryFile() if on else None  # noqa: SIM115  # as long as the tenant
        self._end = 0
        self._places: dict[Hashable, tuple[int, int]] = {}

    def forget(self) -> None:
        """After anything that a read could show."""
        self._places.clear()
        self._end = 0

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def answer(self, call: Call, handler: Callable[[Call], Answer]) -> Answer:
        """Of a read whose answer says nothing of the moment."""
        if not self.on or not _lasting(call):
            return handler(call)
        headers = tuple((k, v) for k, v in call.headers.items() if k in KEPT)
        key = (call.path, call.base, tuple(call.query.items()), headers, call.caller.roles)
        found = self._read(key)
        if found is not None:
            return Answer(200, msgspec.Raw(found), lasting=key)
        answer = handler(call)
        if answer.status == 200 and isinstance(answer.body, dict) and not answer.headers:
            encoded = msgspec.json.encode(answer.body)
            self._write(key, encoded)
            answer.body, answer.lasting = msgspec.Raw(encoded), key
        return answer

    def packed(self, key: Hashable, body: bytes) -> bytes:
        """A body compressed, once for each lasting answer."""
        if key is None:
            return packed(body)
        found = self._read(("packed", key))
        if found is None:
            found = packed(body)
            self._write(("packed", key), found)
        return found

    def items(self, key: Hashable, make: Callable[[], list[Any]]) -> Any:
        """The rows of a page of which only the rest says something of the moment."""
        if not self.on:
            return make()
        found = self._read(key)
        if found is None:
            found = msgspec.json.encode(make())
            self._write(key, found)
        return msgspec.Raw(found)

    def _read(self, key: Hashable) -> bytes | None:
        place = self._places.get(key)
        if place is None or self._file is None:
            return None
        return os.pread(self._file.fileno(), place[1], place[0])

    def _write(self, key: Hashable, data: bytes) -> None:
        if self._file is None:
            return
        if self._end + len(data) > MOST:
            self.forget()
        os.pwrite(self._file.fileno(), data, self._end)
        self._places[key] = (self._end, len(data))
        self._end += len(data)


def _lasting(call: Call) -> bool:
    """Not while replicas are late or page tokens age: then a read depends on when it is made."""
    lag = call.tenant.lag
    late = lag.seconds or lag.token_seconds or lag.removal_seconds
    return (
        call.method == "GET"
        and call.strike is None
        and not late
        and not call.tenant.paging.active
        and not call.path.lower().endswith("/delta")
    )
