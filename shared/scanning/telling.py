"""Tells on the topic what a run has changed, in events of bounded size and number."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec

from shared.model.accounts import Summary
from shared.model.entities import Change
from shared.planning.snapshots import Position, visible_since
from shared.step import Work

BATCH = 200
"""Changes of one event: some 60 KB, where the broker takes 256 KB."""

MOST = 10
"""Events of one run. A first scan of a large tenant is read through the API, not from a topic."""


class _Named(msgspec.Struct):
    """What a row is called."""

    user_principal_name: str = ""
    display_name: str = ""
    source: str = ""
    target: str = ""

    def __str__(self) -> str:
        link = f"{self.source} - {self.target}" if self.source else ""
        return self.user_principal_name or self.display_name or link


async def tell_changes(work: Work, summary: Summary) -> None:
    """Also when the operation is repeated: each event has the same id and is told once.

    Every event says from which cursor the rows of its changes, and all that come behind them, can
    be read (``GET .../changes?after=``); the last one whether there are more than were told.
    """
    if not summary.changes:
        return
    # None, when another one is the latest by now: a message may come again much later.
    made = work.ctx.account_store.made_by(summary.connection, summary.operation)
    number, cursor = 0, Position()
    what = "accounts.changed" if summary.finished else "accounts.changed:shown"
    async for batch, more in _batches(made):
        number += 1
        cursor = cursor if number > 1 else Position(number=batch[0][0].number - 1)
        last = number == MOST
        await work.announce(
            "accounts.changed",
            {
                "operation": summary.operation,
                "batch": number,
                "changes": [_told(change) for _, change in batch],
                "cursor": str(cursor),
                "more": more and last,
                "total": summary.changes,
            },
            at=visible_since(summary),
            mark=f"{what}:{number}",
        )
        cursor = batch[-1][0]
        if last:
            return


Placed = tuple[Position, Change]


async def _batches(found: AsyncIterator[Placed]) -> AsyncIterator[tuple[list[Placed], bool]]:
    """Batches, each with whether another one follows."""
    batch: list[Placed] = []
    async for placed in found:
        if len(batch) == BATCH:
            yield batch, True
            batch = []
        batch.append(placed)
    if batch:
        yield batch, False


def _told(change: Change) -> dict[str, Any]:
    name = str(_names.decode(change.row))
    return {"command": change.command, "kind": change.kind, "id": change.id, "name": name[:200]}


_names = msgspec.json.Decoder(_Named)
