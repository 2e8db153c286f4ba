"""A record of every Graph request and its answer."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class Traffic:
    """Kept in memory as finished lines, and written to a file when one is named."""

    def __init__(self, file: Path | None = None) -> None:
        self._lines: list[str] = []
        self._file = None if file is None else file.open("a", encoding="utf-8")
        self.graph = 0
        self.token = 0

    def record(self, pair: dict[str, Any]) -> None:
        line = json.dumps(pair)
        self._lines.append(line)
        self.graph += 1
        if self._file is not None:
            self._file.write(line + "\n")
            self._file.flush()

    def lines(self) -> Iterator[str]:
        return iter(list(self._lines))

    def clear(self) -> None:
        self._lines.clear()
        self.graph = self.token = 0

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
