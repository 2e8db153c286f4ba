"""Durability: SQLite in WAL mode, one commit a turn; or nothing at all."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from emulators.servicebus.broker.message import Message, State, restore

_SCHEMA = """
CREATE TABLE IF NOT EXISTS messages (
    entity TEXT NOT NULL, sequence INTEGER NOT NULL, state INTEGER NOT NULL,
    delivery_count INTEGER NOT NULL, enqueued INTEGER NOT NULL, scheduled INTEGER,
    expires INTEGER, head BLOB NOT NULL, bare BLOB NOT NULL,
    PRIMARY KEY (entity, sequence)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS counters (entity TEXT PRIMARY KEY, sequence INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS history (
    entity TEXT NOT NULL, message_id BLOB NOT NULL, seen INTEGER NOT NULL,
    PRIMARY KEY (entity, message_id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS session_states (
    entity TEXT NOT NULL, session TEXT NOT NULL, state BLOB NOT NULL,
    updated INTEGER NOT NULL, PRIMARY KEY (entity, session)) WITHOUT ROWID;
"""


class Store(Protocol):
    """Every change of the broker, in order; *entity* is the key of a queue or topic."""

    def insert(self, entity: str, message: Message) -> None: ...
    def update(self, entity: str, message: Message) -> None: ...
    def delete(self, entity: str, sequence: int) -> None: ...
    def remember(self, entity: str, message_id: bytes, seen: int) -> None: ...
    def forget(self, entity: str, message_id: bytes) -> None: ...
    def set_session_state(
        self, entity: str, session: str, state: bytes | None, updated: int
    ) -> None: ...
    def messages(self, entity: str) -> Iterator[Message]: ...
    def counter(self, entity: str) -> int: ...
    def history(self, entity: str) -> Iterator[tuple[bytes, int]]: ...
    def session_states(self, entity: str) -> Iterator[tuple[str, bytes, int]]: ...
    def commit(self) -> None: ...
    def close(self) -> None: ...


class MemoryStore:
    """Keeps nothing: the broker's own memory is all there is."""

    def insert(self, entity: str, message: Message) -> None: ...
    def update(self, entity: str, message: Message) -> None: ...
    def delete(self, entity: str, sequence: int) -> None: ...
    def remember(self, entity: str, message_id: bytes, seen: int) -> None: ...
    def forget(self, entity: str, message_id: bytes) -> None: ...
    def set_session_state(
        self, entity: str, session: str, state: bytes | None, updated: int
    ) -> None: ...

    def messages(self, entity: str) -> Iterator[Message]:  # noqa: ARG002  the protocol's signature
        return iter(())

    def counter(self, entity: str) -> int:  # noqa: ARG002  the protocol's signature
        return 0

    def history(self, entity: str) -> Iterator[tuple[bytes, int]]:  # noqa: ARG002  same
        return iter(())

    def session_states(self, entity: str) -> Iterator[tuple[str, bytes, int]]:  # noqa: ARG002  same
        return iter(())

    def commit(self) -> None: ...
    def close(self) -> None: ...


class SqliteStore:
    """WAL survives a killed process; *full* also syncs each commit, against power loss."""

    def __init__(self, file: Path, *, full: bool = False) -> None:
        self._database = sqlite3.connect(file, isolation_level=None)
        execute = self._database.execute
        execute("PRAGMA journal_mode=WAL")
        execute(f"PRAGMA synchronous={'FULL' if full else 'NORMAL'}")
        execute("PRAGMA locking_mode=EXCLUSIVE")  # one process owns the database
        self._database.executescript(_SCHEMA)
        self._execute = execute
        self._changes: list[tuple[str, tuple[object, ...]]] = []
        self._counters: dict[str, int] = {}

    def insert(self, entity: str, message: Message) -> None:
        self._write(
            "INSERT INTO messages VALUES (?,?,?,?,?,?,?,?,?)",
            entity, message.sequence, int(message.state), message.delivery_count,
            message.enqueued, message.scheduled, message.expires, message.head(), message.bare,
        )  # fmt: skip
        self._counters[entity] = message.sequence

    def update(self, entity: str, message: Message) -> None:
        self._write(
            "UPDATE messages SET state=?, delivery_count=?, bare=? WHERE entity=? AND sequence=?",
            int(message.state), message.delivery_count, message.bare, entity, message.sequence,
        )  # fmt: skip

    def delete(self, entity: str, sequence: int) -> None:
        self._write("DELETE FROM messages WHERE entity=? AND sequence=?", entity, sequence)

    def remember(self, entity: str, message_id: bytes, seen: int) -> None:
        self._write("INSERT OR REPLACE INTO history VALUES (?,?,?)", entity, message_id, seen)

    def forget(self, entity: str, message_id: bytes) -> None:
        self._write("DELETE FROM history WHERE entity=? AND message_id=?", entity, message_id)

    def set_session_state(
        self, entity: str, session: str, state: bytes | None, updated: int
    ) -> None:
        if state is None:
            self._write("DELETE FROM session_states WHERE entity=? AND session=?", entity, session)
        else:
            self._write(
                "INSERT OR REPLACE INTO session_states VALUES (?,?,?,?)",
                entity, session, state, updated,
            )  # fmt: skip

    def messages(self, entity: str) -> Iterator[Message]:
        rows = self._execute(
            "SELECT sequence, state, delivery_count, enqueued, scheduled, expires, head, bare"
            " FROM messages WHERE entity=? ORDER BY sequence",
            (entity,),
        )
        for sequence, state, delivery_count, enqueued, scheduled, expires, head, bare in rows:
            message = restore(head, bare)
            message.sequence, message.state = sequence, State(state)
            message.delivery_count, message.enqueued = delivery_count, enqueued
            message.scheduled, message.expires = scheduled, expires
            yield message

    def counter(self, entity: str) -> int:
        row = self._execute("SELECT sequence FROM counters WHERE entity=?", (entity,)).fetchone()
        return int(row[0]) if row else 0

    def history(self, entity: str) -> Iterator[tuple[bytes, int]]:
        return iter(
            self._execute(
                "SELECT message_id, seen FROM history WHERE entity=? ORDER BY seen", (entity,)
            ).fetchall(),
        )

    def session_states(self, entity: str) -> Iterator[tuple[str, bytes, int]]:
        return iter(
            self._execute(
                "SELECT session, state, updated FROM session_states WHERE entity=?", (entity,)
            ).fetchall(),
        )

    def commit(self) -> None:
        """Write what this turn has changed, and the sequence numbers it has used."""
        for entity, sequence in self._counters.items():
            self._write("INSERT OR REPLACE INTO counters VALUES (?,?)", entity, sequence)
        self._counters.clear()
        if not self._changes:
            return
        changes, self._changes = self._changes, []
        self._execute("BEGIN")
        for statement, values in changes:
            self._execute(statement, values)
        self._execute("COMMIT")

    def close(self) -> None:
        self.commit()
        self._database.close()

    def _write(self, statement: str, *values: object) -> None:
        """Keep a change for the commit, where all errors of the database come up."""
        self._changes.append((statement, values))
