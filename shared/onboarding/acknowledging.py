"""The word that a product uses the published secret, which ends the overlap early."""

from shared.context import Context
from shared.model.connection import Aspect, Condition, Connection, Credential, Status, Takeover
from shared.onboarding.rejected import Rejected, find
from shared.planning.overlap import overlap_of, word_of
from shared.planning.takeover import ACKNOWLEDGED, in_use
from shared.requests.side import Acknowledgement
from shared.telling import recorded

WHAT = "handover.acknowledged"


async def acknowledge(
    ctx: Context,
    name: str,
    given: Acknowledgement,
    *,
    by: str,
    asked_by: str,
    principal: str = "",
    order: str = "",
) -> Condition | None:
    """Note that the product uses the published secret, so that the one before it may go.

    Repeating it is safe from any point of a crash: the first word for a version stays. *order* is
    the id of a queued order, whose redelivery says nothing of a later version: None then. Raises
    `Rejected` NOT_HANDED_OVER, or VERSION_NOT_SERVED when something else is named.
    """
    connection = await find(ctx, name)
    credential, known = _published(connection), connection.takeover
    if order and known is not None and known.order == order:
        if word_of(connection) is None:
            return None
    else:
        _require_served(name, given, credential)
    if word_of(connection) is None:
        version, now = credential.vault_version, ctx.clock.now()
        if not await recorded(ctx, name, WHAT, version=version):
            data = {"by": by, "asked_by": asked_by, "principal": principal, "note": given.note}
            data |= {"version": version, "operation": credential.operation}
            await ctx.ledger.record(name, now, WHAT, data)
        word = Takeover(version=version, at=now, by=by, note=given.note, order=order)
        await ctx.ledger.amend(name, takeover=word)
        connection = await find(ctx, name)
    if overlap := overlap_of(connection):
        await ctx.ledger.set_due("retire", name, overlap.ends)
    return await _tell(ctx, connection)


def _published(connection: Connection) -> Credential:
    if connection.credential is None:
        raise Rejected(
            "",
            "NOT_HANDED_OVER",
            f"{connection.spec.name} has no published secret yet",
            "wait until its onboarding has succeeded",
        )
    return connection.credential


def _require_served(name: str, given: Acknowledgement, credential: Credential) -> None:
    """Raise `Rejected` when something else is named than what was published last."""
    version = credential.vault_version
    for field, said, served in (
        ("version", given.version, version),
        ("operation", given.operation, credential.operation),
    ):
        if said and said != served:
            raise Rejected(
                field,
                "VERSION_NOT_SERVED",
                f"{field} {said} is not what {name} serves: that is version {version}, published "
                f"on {credential.published:%Y-%m-%d %H:%M} UTC",
                f"enter version {version} into the product (GET /api/connections/{name}/handover "
                "says where it is), then acknowledge that one",
            )


async def _tell(ctx: Context, connection: Connection) -> Condition:
    """The condition that says so; a daily verification leaves it as it is."""
    known = connection.condition(Aspect.HANDED_OVER)
    held = known is not None and known.status == Status.TRUE
    condition = Condition(
        type=Aspect.HANDED_OVER,
        status=Status.TRUE,
        reason=ACKNOWLEDGED,
        message=in_use(connection),
        since=known.since if known and held else ctx.clock.now(),
    )
    if condition != known:
        await ctx.ledger.set_condition(connection.spec.name, condition)
    return condition
