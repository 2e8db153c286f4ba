"""Documents in SQLite, so that an acknowledged write outlives the process."""

import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path


class Store:
    """Keys and documents; without a file it lives in memory only.

    Write-ahead log with ``synchronous=NORMAL``: a commit is in the operating system's hands before
    `write` returns, so it survives SIGKILL (a power failure is not the emulator's business).
    """

    def __init__(self, file: Path | None) -> None:
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(file or ":memory:", isolation_level=None)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=NORMAL")
        self._database.execute("CREATE TABLE IF NOT EXISTS document (key TEXT PRIMARY KEY, body)")

    def get(self, key: str) -> bytes | None:
        row = self._database.execute("SELECT body FROM document WHERE key = ?", (key,)).fetchone()
        return row[0] if row else None

    def under(self, prefix: str) -> Iterator[bytes]:
        """All documents whose key starts with *prefix*, in order of key."""
        yield from (
            body
            for (body,) in self._database.execute(
                "SELECT body FROM document WHERE key >= ? AND key < ? ORDER BY key",
                (prefix, prefix + "\U0010ffff"),
            )
        )

    def write(self, documents: Mapping[str, bytes | None]) -> None:
        """Write all of *documents* or none; `None` removes the key."""
        gone = [(key,) for key, body in documents.items() if body is None]
        kept = [(key, body) for key, body in documents.items() if body is not None]
        self._database.execute("BEGIN IMMEDIATE")
        try:
            self._database.executemany("DELETE FROM document WHERE key = ?", gone)
            self._database.executemany("INSERT OR REPLACE INTO document VALUES (?, ?)", kept)
            self._database.execute("COMMIT")
        except BaseException:
            self._database.execute("ROLLBACK")
            raise

    def close(self) -> None:
        self._database.close()
