"""Answers calls: the caller's right, the handler, and problems in place of known errors."""

import azure.functions as func

from functions.http import asking, limits, refused
from functions.http.answers import Fault, fault
from functions.http.call import Call, Connect
from functions.http.hardening import hardened
from shared.errors import Conflict, NeedsHuman, TryLater
from shared.onboarding import Rejected
from shared.settings import SettingsError

STATUS = {
    "CONNECTION_UNKNOWN": 404,
    "FINDING_UNKNOWN": 404,
    "REMOVALS_UNKNOWN": 404,
    "SELF_APPROVAL": 403,
    "OFFBOARDED": 410,
}
"""Of rejections; the others are conflicts with the connection's state."""


async def serve(call: Call, req: func.HttpRequest, connect: Connect) -> func.HttpResponse:
    """Answer a call; whatever is known to go wrong becomes a problem, a bug stays a 500."""
    return hardened(await _served(call, req, connect))


async def _served(call: Call, req: func.HttpRequest, connect: Connect) -> func.HttpResponse:
    try:
        return await _answer(call, req, connect)
    except TryLater as reason:
        seconds = str(max(1, round(reason.after.total_seconds())))
        return _unavailable(reason.code, reason.message, "send it again later", seconds)
    except Conflict:
        message = "somebody else changed the same connection at the same time"
        return _unavailable("CHANGED_MEANWHILE", message, "send it again", "1")
    except NeedsHuman as problem:
        return fault(503, problem.code, problem.message, problem.remedy).answer()
    except SettingsError as error:
        return fault(503, "SETTINGS", str(error), "correct the application's settings").answer()


async def _answer(call: Call, req: func.HttpRequest, connect: Connect) -> func.HttpResponse:
    """Refuse callers without the call's role, run the handler, and keep what was refused."""
    try:
        caller = asking.who(req)
        limits.check_size(call, req)  # before anything looks into the body
    except Fault as unknown:
        return unknown.answer()
    try:
        asking.require(caller, call.role, f"{call.method} /api/{call.path}")
        if call.rated:
            await limits.check_rate(call, await connect(), caller)
        return await call.handle(req, connect)
    except Fault as known:
        refusal = known
    except Rejected as rejected:
        status = STATUS.get(rejected.problem.code, 409)
        refusal = Fault(status, [rejected.problem], operation=rejected.operation)
    # Before the answer: a refusal that could not be recorded is answered as trouble.
    if refusal.status == 403 or (refusal.status == 422 and call.method != "GET"):
        await refused.note(await connect(), call.name, req, caller, refusal.problems)
    return refusal.answer()


def _unavailable(code: str, message: str, hint: str, seconds: str) -> func.HttpResponse:
    known = fault(503, code, message, hint)
    known.headers["Retry-After"] = seconds
    return known.answer()
