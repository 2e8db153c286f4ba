"""A record of every Graph request and its answer."""

from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import Any

import msgspec

IN_MEMORY = 64 * 2**20


class Traffic:
    """Lines of JSON, kept in memory up to a size, and written to a file when one is named."""

    def __init__(self, file: Path | None = None) -> None:
        self._spool = self._new_spool()
        self._file = None if file is None else file.open("ab")
        self.graph = 0
        self.token = 0

    @staticmethod
    def _new_spool() -> "SpooledTemporaryFile[bytes]":
        return SpooledTemporaryFile(IN_MEMORY)

    def record(self, pair: dict[str, Any]) -> None:
        line = msgspec.json.encode(pair) + b"\n"
        self._spool.write(line)
        self.graph += 1
        if self._file is not None:
            self._file.write(line)
            self._file.flush()

    def text(self) -> bytes:
        self._spool.seek(0)
        return self._spool.read()  # leaves the position at the end, for the next line

    def clear(self) -> None:
        self._spool.close()
        self._spool = self._new_spool()
        self.graph = self.token = 0

    def close(self) -> None:
        self._spool.close()
        if self._file is not None:
            self._file.close()
