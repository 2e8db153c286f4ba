"""How far a rotation is: one word for the timeline, the connection and the operation together."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from shared.model.connection import Connection, Operation
from shared.planning.overlap import overlap_of
from shared.planning.rungs import Name, Rung

ACTIVATION = timedelta(seconds=60)
"""That a new secret is left alone before it is tried."""


class Stage(StrEnum):
    """What is being done, or has been, for the newest secret."""

    NONE = "none"  # there has been no secret yet
    INTENDED = "intended"  # about to be made
    STAGED = "staged"  # made and in the vault, given time to become known
    VERIFYING = "verifying"  # tried at the token endpoint
    VERIFIED = "verified"
    PUBLISHED = "published"  # dates and due times are about to be noted
    OVERLAP = "overlap"  # the one before works beside it
    SETTLED = "settled"  # it is the only one
    STOPPED = "stopped"  # for a person: the conditions say why; the one before is still served


BEGUN = frozenset({Name.REQUESTED, Name.INTENDED})
"""Rungs with which an operation starts to make a secret."""

REACHED = {
    Name.ADDED: Stage.STAGED,
    Name.STAGED: Stage.STAGED,
    Name.VERIFIED: Stage.VERIFIED,
    Name.PUBLISHED: Stage.PUBLISHED,
}


def newest(timeline: Sequence[Rung]) -> str:
    """The operation that was the last to start making a secret; empty when none has."""
    return next((rung.operation for rung in reversed(timeline) if rung.name in BEGUN), "")


def stage_of(
    connection: Connection, operation: Operation | None, timeline: Iterable[Rung], now: datetime
) -> Stage:
    """*operation* is the newest that makes, or made, a secret, and *timeline* is its."""
    credential = connection.credential
    if operation is None or (credential and credential.operation == operation.id):
        return _at_rest(connection)
    own = [rung for rung in timeline if rung.operation == operation.id]
    if operation.state == "running":
        return _under_way(own, now)
    published = any(rung.name == Name.PUBLISHED for rung in own)
    succeeded = operation.state == "succeeded" or published
    return _at_rest(connection) if succeeded else Stage.STOPPED


def _at_rest(connection: Connection) -> Stage:
    if connection.credential is None:
        return Stage.NONE
    return Stage.SETTLED if overlap_of(connection) is None else Stage.OVERLAP


def _under_way(own: Sequence[Rung], now: datetime) -> Stage:
    found, at = Stage.INTENDED, now
    for rung in own:
        if rung.name in BEGUN:
            found = Stage.INTENDED  # once more: an earlier attempt lost its value
        elif rung.name in REACHED:
            found, at = REACHED[rung.name], rung.at
    if found == Stage.STAGED and now >= at + ACTIVATION:
        return Stage.VERIFYING
    return found


def reminders(rows: Iterable[Mapping[str, Any]], version: str) -> list[tuple[int, datetime]]:
    """Per cent and time of the reminders about a version, from the connection's history."""
    return [
        (int(row["percent"]), datetime.fromisoformat(str(row["at"])))
        for row in rows
        if row.get("what") == "handover.reminded" and row.get("version") == version
    ]
