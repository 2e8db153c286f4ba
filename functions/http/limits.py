"""How much one caller may ask for: bytes of a body, and requests to onboard in an hour."""

from datetime import UTC, datetime, timedelta

import azure.functions as func

from functions.http.answers import fault
from functions.http.call import Call
from shared.context import Context
from shared.model.caller import Caller

WINDOW = timedelta(hours=1)


def check_size(call: Call, req: func.HttpRequest) -> None:
    """Raise `Fault` 413 for a body that is larger than any that the call takes."""
    size, largest = len(req.get_body()), call.largest
    if size > largest:
        hint = f"at most {largest} are taken" if largest else "send none: this call takes no body"
        raise fault(413, "TOO_LARGE", f"the body has {size} bytes", hint)


async def check_rate(call: Call, ctx: Context, caller: Caller) -> None:
    """Raise `Fault` 429 where the caller has asked too often in this hour.

    Counted in the ledger, so that it holds however many instances answer, and one row for each
    caller is all that it takes.
    """
    now = ctx.clock.now()
    start = _window(now)
    used = await ctx.ledger.count(call.name, caller.id or caller.name, start)
    if used <= ctx.onboarding_rate:
        return
    seconds = max(1, round((start + WINDOW - now).total_seconds()))
    problem = fault(
        429,
        "RATE_LIMITED",
        f"{caller.name} has sent {used} requests to onboard in this hour; "
        f"{ctx.onboarding_rate} are taken",
        f"send it again in {seconds} seconds, or have KEYTURN_ONBOARDING_RATE raised",
    )
    problem.headers["Retry-After"] = str(seconds)
    raise problem


def _window(now: datetime) -> datetime:
    """When the hour began that *now* is in."""
    return now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
