"""Valid requests that the connection's state does not allow."""

from shared.context import Context
from shared.model.connection import Connection
from shared.requests import Problem


class Rejected(Exception):
    """A valid request that the connection's state does not allow."""

    def __init__(self, field: str, code: str, message: str, hint: str, operation: str = "") -> None:
        super().__init__(message)
        self.problem = Problem(field=field, code=code, message=message, hint=hint)
        self.operation = operation  # the one that is in the way


async def find(ctx: Context, name: str) -> Connection:
    """One that can be worked on: raises `Rejected` for one that is being offboarded, or is."""
    connection = await known(ctx, name)
    require_active(connection)
    return connection


def require_active(connection: Connection) -> None:
    """Raise `Rejected` OFFBOARDING or OFFBOARDED; both can still be read."""
    name, ending = connection.spec.name, connection.offboarding
    if ending is None:
        return
    if ending.finished is not None:
        raise Rejected(
            "connection",
            "OFFBOARDED",
            f"{name} was offboarded on {ending.finished:%Y-%m-%d}: {ending.reason}",
            "to onboard the product anew send POST /api/connections; the history stays",
        )
    raise Rejected(
        "connection",
        "OFFBOARDING",
        f"{name} is being offboarded: {ending.reason}",
        f"wait until it has ended; where it stopped, send DELETE /api/connections/{name} again",
        connection.operation,
    )


async def known(ctx: Context, name: str) -> Connection:
    connection = await ctx.ledger.connection(name)
    if connection is None:
        raise Rejected(
            "connection",
            "CONNECTION_UNKNOWN",
            f"there is no connection {name}",
            "onboard it first, or list the known ones with GET /api/connections",
        )
    return connection


async def in_the_way(ctx: Context, name: str) -> Rejected | None:
    """What to answer while an operation of the connection is in flight; None when none is."""
    connection = await known(ctx, name)
    flight = await ctx.ledger.operation(name, connection.operation)
    if flight is None or flight.state != "running":
        return None
    return busy(name, flight.id)


def busy(name: str, operation: str) -> Rejected:
    return Rejected(
        "connection",
        "OPERATION_RUNNING",
        f"{name} has an operation in flight: {operation or 'one that just began'}",
        "send it again when that operation has ended",
        operation,
    )
