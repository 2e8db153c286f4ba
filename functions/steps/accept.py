"""Takes the orders that other systems post, or refuses them so that nothing is lost."""

import hashlib

import msgspec

from shared import onboarding, telemetry
from shared.context import Context
from shared.importing import Unfit, start_import
from shared.messages import announcement
from shared.onboarding import Rejected
from shared.requests import Order, Problem, Request, changed, check_message
from shared.step import entrance

ASKED_BY = "provisioning queue"

UNNAMED = "unnamed"
"""Subject of the event about a message that names no usable connection."""


@entrance("provisioning")
async def accept(body: bytes, message_id: str, ctx: Context) -> None:
    """Start the operation that another system ordered, or set the order aside with its reasons."""
    order = check_message(body)
    if isinstance(order, list):
        await _refuse(ctx, body, message_id, order)
        return
    if not message_id:
        # Without it, a repeated delivery cannot be told from a second order.
        hint = "set messageId: it makes repeated deliveries one order"
        missing = Problem(
            field="messageId",
            code="INPUT_MISSING",
            message="the message has no messageId",
            hint=hint,
        )
        await _refuse(ctx, body, message_id, [missing], order.connection)
        return
    operation = hashlib.sha256(f"{order.connection}\n{message_id}".encode()).hexdigest()[:32]
    with telemetry.bound(connection=order.connection, operation=operation):
        try:
            await _start(ctx, order, operation)
        except Rejected as rejected:
            await _refuse(ctx, body, message_id, [rejected.problem], order.connection)
        except Unfit as unfit:
            await _refuse(ctx, body, message_id, unfit.problems, order.connection)


async def _start(ctx: Context, order: Order, operation: str) -> None:
    if order.spec is not None:
        request = Request(spec=order.spec)
        await onboarding.onboard(ctx, request, asked_by=ASKED_BY, operation=operation)
    elif order.change is not None:
        known = (await onboarding.find(ctx, order.connection)).spec
        fresh = changed(known, order.change)
        if isinstance(fresh, list):
            raise Unfit(fresh)
        await onboarding.change(ctx, known, fresh, asked_by=ASKED_BY, operation=operation)
    elif order.wish is not None:
        name, wish = order.connection, order.wish
        await start_import(ctx, name, wish, operation, asked_by=ASKED_BY)
    elif order.word is not None:
        name, by = order.connection, order.word.by or ASKED_BY
        await onboarding.acknowledge(
            ctx, name, order.word, by=by, asked_by=ASKED_BY, order=operation
        )
    else:
        await onboarding.run(ctx, order.connection, order.kind, operation, asked_by=ASKED_BY)


async def _refuse(
    ctx: Context, body: bytes, message_id: str, problems: list[Problem], subject: str = UNNAMED
) -> None:
    """Record why, keep the message as it came, and tell; each of it may be repeated."""
    now = ctx.clock.now()
    digest = hashlib.sha256(body).hexdigest()
    row = message_id or f"sha256-{digest}"
    data = {
        "source": "provisioning",
        "connection": "" if subject == UNNAMED else subject,
        "asked_by": ASKED_BY,
        "problems": msgspec.to_builtins(problems),
        "reason": problems[0].code,
        "sha256": digest,
        "size": len(body),
    }
    await ctx.ledger.refuse(row, now, data)
    await ctx.outbox.set_aside(body, row, _summary(problems))
    await ctx.outbox.publish(
        announcement("request.refused", id_=f"{row}:refused", connection=subject, at=now, data=data)
    )
    telemetry.add("keyturn.requests.refused", source="queue", code=problems[0].code)
    telemetry.event("request.refused", message=row, reason=problems[0].code, size=len(body))


def _summary(problems: list[Problem]) -> str:
    return "; ".join(f"{problem.code} {problem.field}".strip() for problem in problems)
