"""What is told once for good, however often, and by whichever operation, it is come upon."""

from datetime import datetime
from typing import Any

from shared import telemetry
from shared.context import Context
from shared.messages import announcement


async def recorded(ctx: Context, connection: str, what: str, **marks: object) -> bool:
    """Whether the audit history has such a row."""
    rows = await ctx.ledger.history(connection)
    return any(
        row["what"] == what and all(row.get(mark) == value for mark, value in marks.items())
        for row in rows
    )


async def tell_once(
    ctx: Context, connection: str, what: str, marks: dict[str, Any], data: dict[str, Any]
) -> bool:
    """Publish an event and record it, once for these *marks*; False when that was done before.

    A crash in between publishes the event again, under the same id, and records it then.
    """
    if await recorded(ctx, connection, what, **marks):
        return False
    now: datetime = ctx.clock.now()
    id_ = ":".join((connection, what, *(str(value) for value in marks.values())))
    told = {"connection": connection, **marks, **data}
    await ctx.outbox.publish(announcement(what, id_=id_, connection=connection, at=now, data=told))
    await ctx.ledger.record(connection, now, what, {**marks, **data})
    telemetry.event(what, **marks)
    return True
